#include "ops/cli/screen.h"

#include <cerrno>
#include <utility>

#include "ops/cli/out_lost.h"

namespace millrace::cli {
namespace {

std::string_view start_of(Ink ink) {
  switch (ink) {
    case Ink::dim:
      return "\033[2m";
    case Ink::bold:
      return "\033[1m";
    case Ink::red:
      return "\033[31m";
    case Ink::green:
      return "\033[32m";
    case Ink::yellow:
      return "\033[33m";
    case Ink::cyan:
      return "\033[36m";
    case Ink::plain:
      break;
  }
  return "";
}

std::string in_ink(bool wanted, Ink ink, std::string_view text) {
  if (!wanted || ink == Ink::plain) return std::string(text);
  return std::string(start_of(ink)).append(text).append("\033[0m");
}

bool put(std::FILE* file, std::string_view text) {
  const bool taken = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  return std::fflush(file) == 0 && taken;
}

}  // namespace

Screen::Screen(std::FILE* out, std::FILE* err, Options options)
    : out_(out), err_(err), options_(options) {}

Screen Screen::without_out() const {
  return {nullptr, err_, options_};
}

void Screen::write(std::string_view text) {
  if (text.empty() || !out_) return;
  clear_progress();
  if (!put(out_, text)) throw OutLost{errno};
  mid_line_ = !text.ends_with('\n');
}

void Screen::line(std::string_view text) {
  end_text();
  write(std::string(text).append("\n"));
}

void Screen::note(Ink ink, std::string_view text) {
  if (options_.json) return;
  clear_progress();
  left_edge();
  put(err_, in_ink(options_.colours && options_.err_terminal, ink, text).append("\n"));
}

void Screen::progress(std::string_view text) {
  if (options_.json || !options_.err_terminal || (mid_line_ && options_.out_terminal)) return;
  put(err_, "\r\033[K" + in_ink(options_.colours, Ink::dim, text));
  progress_shown_ = true;
}

void Screen::error(std::string_view text) {
  clear_progress();
  left_edge();
  const bool ink = options_.colours && options_.err_terminal;
  put(err_, in_ink(ink, Ink::red, "millrace:").append(" ").append(text).append("\n"));
}

void Screen::end_text() {
  if (mid_line_) write("\n");
}

std::string Screen::inked(Ink ink, std::string_view text) const {
  return in_ink(options_.colours && options_.out_terminal, ink, text);
}

void Screen::clear_progress() {
  if (std::exchange(progress_shown_, false)) put(err_, "\r\033[K");
}

/// Where both are one terminal, a note does not stick to the text before it.
void Screen::left_edge() {
  if (!mid_line_ || !options_.out_terminal || !options_.err_terminal) return;
  put(err_, "\n");
  mid_line_ = false;
}

}  // namespace millrace::cli
