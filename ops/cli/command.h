#pragma once
#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

#include "ops/cli/exit_code.h"
#include "ops/cli/screen.h"
#include "shared/runtime/config.h"

namespace millrace::cli {

/// One command of the command line: its words are read, then it runs. Options of its own are added
/// to `words`; every setting of the configuration is one too, and `--json`.
class Command {
 public:
  Command(std::string name, std::string what);

  CLI::App& words() { return words_; }

  /// What the words and the environment say, once they are read.
  struct Given {
    Config config;
    Screen screen;
  };
  /// Reads the words and runs `act`; answers the exit code. Help and wrong words end it before.
  int run(std::vector<std::string> given, const std::function<Exit(Given&)>& act);

 private:
  CLI::App words_;
  bool json_ = false;
};

}  // namespace millrace::cli
