#pragma once
#include <cstdio>
#include <string>
#include <string_view>

namespace millrace::cli {

/// How words look.
enum class Ink { plain, dim, bold, red, green, yellow, cyan };

/// Where a command writes. What was asked for goes to `out`; what is told about it (progress, tool
/// events, errors) to `err`, so that `out` can be piped. Colours and progress on a terminal only.
///
/// What cannot be written to `out` is thrown as OutLost (out_lost.h): nothing is asked for in vain.
class Screen {
 public:
  struct Options {
    bool json = false;    ///< `out` gets JSON alone, and nothing is told but errors
    bool colours = true;  ///< false: NO_COLOR is set
    bool out_terminal = false;
    bool err_terminal = false;
  };
  Screen(std::FILE* out, std::FILE* err, Options options);

  bool json() const { return options_.json; }
  bool out_terminal() const { return options_.out_terminal; }
  /// The same, but what would go to `out` goes nowhere.
  Screen without_out() const;

  /// At once, as it is.
  void write(std::string_view text);
  /// A line of `out`; it begins at the left edge.
  void line(std::string_view text);
  /// A line about what happens, beside the text. Not with JSON.
  void note(Ink ink, std::string_view text);
  /// The one line that is written over until something else is said; on a terminal only.
  void progress(std::string_view text);
  /// A failure, in any mode.
  void error(std::string_view text);
  /// Ends a text at the left edge.
  void end_text();

  /// For words of `out`.
  std::string inked(Ink ink, std::string_view text) const;

 private:
  void clear_progress();
  void left_edge();

  std::FILE* out_;  ///< null: nowhere
  std::FILE* err_;
  const Options options_;
  bool mid_line_ = false;  ///< `out` stands behind text without its line end
  bool progress_shown_ = false;
};

}  // namespace millrace::cli
