#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace millrace {

/// What the tokens of a model cost, in whatever currency the list was written. Exact: prices are
/// kept in millionths, so a token's is a whole number of 10^-12.
class ModelPrices {
 public:
  /// A list `name=prompt/completion`, separated by commas: the prices of a million tokens read and
  /// of a million written, decimals from 0 to 1000000 with at most six places. A name that ends in
  /// `*` stands for every model whose name begins so. Nothing where the list is not that, or names
  /// a model twice.
  static std::optional<ModelPrices> read(std::string_view list);

  /// The list again, sorted, its numbers without needless zeros.
  std::string str() const;

  /// A decimal such as `0.0000425`. The model's own price wins over a beginning's, a longer
  /// beginning's over a shorter one's. Nothing for a model that has no price.
  std::optional<std::string> cost(std::string_view model, std::uint64_t prompt_tokens,
                                  std::uint64_t completion_tokens) const;

 private:
  /// Of a million tokens, in millionths.
  struct Price {
    std::uint64_t prompt = 0;
    std::uint64_t completion = 0;
  };
  const Price* of(std::string_view model) const;

  std::map<std::string, Price, std::less<>> prices_;
};

}  // namespace millrace
