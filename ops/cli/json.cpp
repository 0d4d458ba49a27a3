#include "ops/cli/json.h"

#include <simdjson.h>

namespace millrace::cli {

namespace dom = simdjson::dom;

struct Json::Document {
  dom::parser parser;
  dom::element root;
  bool read = false;

  template <class T>
  bool get(std::string_view pointer, T& into) const {
    return read && !root.at_pointer(pointer).get(into);
  }
};

Json::Json(std::string_view text) : document_(std::make_unique<Document>()) {
  document_->read = !document_->parser.parse(text.data(), text.size()).get(document_->root);
}
Json::~Json() = default;

Json::operator bool() const {
  return document_->read;
}

std::string Json::text(std::string_view pointer) const {
  std::string_view found;
  return document_->get(pointer, found) ? std::string(found) : std::string();
}

std::optional<std::int64_t> Json::number(std::string_view pointer) const {
  std::int64_t found = 0;
  return document_->get(pointer, found) ? std::optional(found) : std::nullopt;
}

std::optional<double> Json::real(std::string_view pointer) const {
  double found = 0;
  return document_->get(pointer, found) ? std::optional(found) : std::nullopt;
}

bool Json::truth(std::string_view pointer) const {
  bool found = false;
  return document_->get(pointer, found) && found;
}

std::string Json::raw(std::string_view pointer) const {
  dom::element found;
  if (!document_->get(pointer, found) || found.is_null()) return {};
  return simdjson::minify(found);
}

std::vector<std::string> Json::list(std::string_view pointer) const {
  std::vector<std::string> found;
  dom::array elements;
  if (!document_->get(pointer, elements)) return found;
  for (const dom::element element : elements) found.push_back(simdjson::minify(element));
  return found;
}

}  // namespace millrace::cli
