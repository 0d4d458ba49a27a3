#include "workers/llm/simulator_text.h"

#include <algorithm>
#include <array>

namespace millrace {
namespace {

constexpr std::array<std::string_view, 64> english_words{
    " river",  " stone",  " morning",  " light",  " carries", " slowly", " under", " bridge",
    " water",  " turns",  " wheel",    " grain",  " becomes", " flour",  " while", " someone",
    " counts", " sacks",  " beside",   " door",   " quiet",   " hands",  " lift",  " heavy",
    " wooden", " gate",   " opens",    " stream", " runs",    " faster", " now",   " then",
    " again",  " until",  " evening",  " comes",  " lamps",   " glow",   " over",  " table",
    " bread",  " cools",  " children", " listen", " story",   " begins", " where", " last",
    " ended",  " nobody", " hurries",  " miller", " smiles",  " writes", " line",  " every",
    " number", " stays",  " true",     " north",  " wind",    " clears", " early", " fog"};

constexpr std::array<std::string_view, 64> korean_words{
    " 강물은",   " 천천히",   " 흐르고", " 아침",     " 햇살이", " 다리",     " 아래로",
    " 내려온다", " 물레방아", " 바퀴가", " 돌아가면", " 곡식은", " 가루가",   " 되고",
    " 누군가",   " 자루를",   " 센다",   " 문",       " 옆에",   " 조용한",   " 손이",
    " 무거운",   " 나무",     " 빗장을", " 들어",     " 올린다", " 물길이",   " 열리고",
    " 더",       " 빠르게",   " 달린다", " 지금",     " 다시",   " 저녁이",   " 올",
    " 때까지",   " 등불이",   " 켜지고", " 식탁",     " 위에서", " 빵이",     " 식는다",
    " 아이들은", " 이야기를", " 듣고",   " 멈춘",     " 곳에서", " 이어진다", " 아무도",
    " 서두르지", " 않는다",   " 방앗간", " 주인은",   " 웃으며", " 한",       " 줄씩",
    " 적는다",   " 모든",     " 숫자는", " 그대로",   " 남고",   " 북쪽",     " 바람이",
    " 분다"};

/// True when the text holds a Hangul syllable (U+AC00 to U+D7A3, three bytes from EA to ED).
bool has_hangul(std::string_view text) {
  for (std::size_t i = 0; i + 2 < text.size(); ++i) {
    const auto at = [&](std::size_t k) { return static_cast<std::uint8_t>(text[i + k]); };
    if ((at(0) & 0xf0) != 0xe0) continue;
    const unsigned code = (at(0) & 0x0fu) << 12 | (at(1) & 0x3fu) << 6 | (at(2) & 0x3fu);
    if (code >= 0xac00 && code <= 0xd7a3) return true;
  }
  return false;
}

/// splitmix64's last steps: neighbours in, strangers out.
std::uint64_t mixed(std::uint64_t x) {
  x ^= x >> 30;
  x *= 0xbf58476d1ce4e5b9;
  x ^= x >> 27;
  x *= 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

std::vector<std::string> words_of(std::string_view sentence) {
  std::vector<std::string> words;
  while (!sentence.empty()) {
    const auto end = std::min(sentence.find(' ', 1), sentence.size());
    words.emplace_back(sentence.substr(0, end));
    sentence.remove_prefix(end);
  }
  return words;
}

}  // namespace

std::uint64_t sim_hash(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<std::uint8_t>(c)) * 0x100000001b3;
  return hash;
}

SimText::SimText(std::string_view prompt, std::string_view question)
    : seed_(sim_hash(prompt)), korean_(has_hangul(question)) {}

std::string_view SimText::token(std::uint32_t number) const {
  const auto& words = korean_ ? korean_words : english_words;
  const auto word = words[mixed(seed_ + number * 0x9e3779b97f4a7c15) % words.size()];
  return number == 1 ? word.substr(1) : word;
}

const std::vector<std::string>& sim_default_answer(std::string_view question) {
  static const auto english = words_of(
      "This is a simulation: no language model is configured, so millrace's simulator answers "
      "every question with these words, a little at a time, as a model would. Set LLM_SERVER_URL "
      "to an OpenAI-compatible server for real answers.");
  static const auto korean = words_of(
      "이 답변은 시뮬레이션입니다. 연결된 언어 모델이 없어서 millrace 시뮬레이터가 모든 질문에 이 "
      "문장으로, 실제 모델처럼 조금씩 나누어 답합니다. 실제 답변을 받으려면 LLM_SERVER_URL에 "
      "OpenAI "
      "호환 서버의 주소를 설정하세요.");
  return has_hangul(question) ? korean : english;
}

std::uint32_t stamps_in(std::string_view prefix) {
  return static_cast<std::uint32_t>(std::ranges::count(prefix, '@') / 2);
}

}  // namespace millrace
