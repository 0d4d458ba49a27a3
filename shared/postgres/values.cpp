#include "shared/postgres/values.h"

#include <libpq-fe.h>

#include <charconv>

namespace millrace::postgres {
namespace {

constexpr char escape = '\x01';
constexpr std::string_view special("\0\x01", 2);

template <class N>
N number_in(std::string_view text) {
  N number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

int digit(char hex) {
  if (hex >= '0' && hex <= '9') return hex - '0';
  if (hex >= 'a' && hex <= 'f') return hex - 'a' + 10;
  return -1;
}

}  // namespace

std::string to_column(std::string_view text) {
  std::size_t at = text.find_first_of(special);
  if (at == text.npos) return std::string(text);
  std::string column(text.substr(0, at));
  for (const char c : text.substr(at)) {
    if (c == '\0' || c == escape) {
      column += escape;
      column += c == '\0' ? '0' : '1';
    } else {
      column += c;
    }
  }
  return column;
}

std::string from_column(std::string_view column) {
  if (column.find(escape) == column.npos) return std::string(column);
  std::string text;
  for (std::size_t i = 0; i < column.size(); ++i) {
    if (column[i] == escape && i + 1 < column.size())
      text += column[++i] == '0' ? '\0' : escape;
    else
      text += column[i];
  }
  return text;
}

Params& Params::add(std::int64_t number) {
  values_.push_back({std::to_string(number)});
  return *this;
}

Params& Params::add(std::string_view text) {
  values_.push_back({to_column(text)});
  return *this;
}

Params& Params::add(const JobId& id) {
  values_.push_back({std::string(id.bytes.begin(), id.bytes.end()), true});
  return *this;
}

Params& Params::add(WallTime when) {
  return add(std::int64_t{when.time_since_epoch().count()});
}

Params& Params::add_null() {
  values_.push_back({});
  return *this;
}

Params::Raw Params::raw() const {
  Raw raw;
  for (const auto& value : values_) {
    raw.values.push_back(value.bytes ? value.bytes->c_str() : nullptr);
    raw.lengths.push_back(value.bytes ? static_cast<int>(value.bytes->size()) : 0);
    raw.formats.push_back(value.binary ? 1 : 0);
  }
  return raw;
}

void Rows::Clear::operator()(pg_result* result) const noexcept {
  PQclear(result);
}

std::size_t Rows::size() const {
  return static_cast<std::size_t>(PQntuples(result_.get()));
}

std::string_view Rows::raw(std::size_t row, int column) const {
  const int at = static_cast<int>(row);
  return {PQgetvalue(result_.get(), at, column),
          static_cast<std::size_t>(PQgetlength(result_.get(), at, column))};
}

std::int64_t Rows::number(std::size_t row, int column) const {
  return number_in<std::int64_t>(raw(row, column));
}

WallTime Rows::time(std::size_t row, int column) const {
  return WallTime(std::chrono::milliseconds(number(row, column)));
}

std::optional<WallTime> Rows::time_or_none(std::size_t row, int column) const {
  if (null(row, column)) return std::nullopt;
  return time(row, column);
}

std::string Rows::text(std::size_t row, int column) const {
  return from_column(raw(row, column));
}

std::optional<JobId> Rows::id(std::size_t row, int column) const {
  const auto text = raw(row, column);  // \x and two digits a byte
  JobId id;
  if (text.size() != 2 + 2 * id.bytes.size() || !text.starts_with("\\x")) return std::nullopt;
  for (std::size_t i = 0; i < id.bytes.size(); ++i) {
    const int high = digit(text[2 + 2 * i]);
    const int low = digit(text[3 + 2 * i]);
    if (high < 0 || low < 0) return std::nullopt;
    id.bytes[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return id;
}

bool Rows::null(std::size_t row, int column) const {
  return PQgetisnull(result_.get(), static_cast<int>(row), column) != 0;
}

std::string_view Rows::command() const {
  return PQcmdStatus(result_.get());
}

std::int64_t Rows::changes() const {
  return number_in<std::int64_t>(PQcmdTuples(result_.get()));
}

}  // namespace millrace::postgres
