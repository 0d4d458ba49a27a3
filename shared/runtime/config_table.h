#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/runtime/config.h"

namespace millrace {

/// One row of the table: a setting's names, how it is read and shown. Its flag is its key with
/// `-` for `_`.
struct Setting {
  std::string_view key;
  std::vector<std::string_view> env;  ///< the first is its name, the others are heeded too; an
                                      ///< empty variable is as good as unset, an empty flag or key
                                      ///< is a value like any other
  std::string allowed;
  std::function<bool(Config&, const std::string&)> read;  ///< false: not allowed
  std::function<std::string(const Config&)> show;
  bool bare_flag = false;   ///< `--key` alone means true
  bool used = true;         ///< false: of a part that is not there yet
  bool many_lines = false;  ///< line ends may be in it
};

/// The table: every setting there is, in the order in which `millrace config` shows them.
const std::vector<Setting>& settings();

}  // namespace millrace
