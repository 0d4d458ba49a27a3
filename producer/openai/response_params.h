#pragma once
#include <expected>
#include <optional>
#include <string>

#include "producer/ingress/refusal.h"
#include "shared/contract/event.h"

namespace millrace::openai {

/// `?stream=&starting_after=` of a response that is looked at again. `Last-Event-ID` is a place
/// too; the parameter goes before it.
struct RetrieveParams {
  bool stream = false;
  std::optional<Seq> starting_after;
};
std::expected<RetrieveParams, Refusal> parse_retrieve_params(const http::Request& request);

/// `?limit=&order=&after=` of a list of items.
struct ItemPage {
  std::size_t limit = 20;
  bool newest_first = true;
  std::string after;  ///< empty: from the beginning
};
std::expected<ItemPage, Refusal> parse_item_page(const http::Request& request);

}  // namespace millrace::openai
