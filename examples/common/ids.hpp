// Token ids as the programs read and write them: 858,25,198.
#pragma once

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <transept/core/display.hpp>
#include <transept/core/error.hpp>
#include <transept/core/types.hpp>

namespace examples {

/// The ids in `text`: decimal, separated by commas or white space (so that both "1,2,3" and "1 2 3\n" are
/// three), or a JSON array of them. None in an empty text. Throws argument_error, whose message begins with
/// `source`.
inline std::vector<transept::token_id> parse_ids(std::string_view text, std::string_view source) {
  constexpr std::string_view space = " \t\r\n\v\f";
  const auto fail = [&](const std::string& what) -> void {
    throw transept::argument_error(std::string(source) + ": " + what +
                                   "\n  Token ids are whole numbers with commas between them: 858,25,198, or "
                                   "a JSON array: [858, 25, 198]");
  };
  const auto skip_space = [&] { text.remove_prefix(std::min(text.find_first_not_of(space), text.size())); };

  std::vector<transept::token_id> ids;
  skip_space();
  if (text.starts_with('[')) {
    text = text.substr(1, text.find_last_not_of(space));
    if (!text.ends_with(']')) fail("the array has no end");
    text.remove_suffix(1);
    skip_space();
  }
  while (!text.empty()) {
    transept::token_id id = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), id);
    const std::string_view word = text.substr(0, text.find_first_of(", \t\r\n\v\f"));
    if (problem != std::errc{} || end != word.data() + word.size() || word.front() == '-')
      fail(word.empty() ? "a token id is missing before a comma"
                        : transept::quoted(word) + " is not a token id");
    ids.push_back(id);
    text.remove_prefix(word.size());
    skip_space();
    if (!text.starts_with(',')) continue;
    text.remove_prefix(1);
    skip_space();
    if (text.empty()) fail("a token id is missing after the last comma");
  }
  return ids;
}

/// "858,25,198".
inline std::string join_ids(std::span<const transept::token_id> ids) {
  std::string text;
  for (const transept::token_id id : ids) {
    if (!text.empty()) text += ',';
    text += std::to_string(id);
  }
  return text;
}

/// Whether a text is UTF-16 by its first two bytes or, without them, by its zeros.
inline bool is_utf16(std::string_view text) {
  const bool is_marked = text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff");
  std::size_t zeros[2] = {};
  const std::string_view begin = text.substr(0, 4096);
  for (std::size_t i = 0; i < begin.size(); ++i) zeros[i % 2] += begin[i] == 0;
  const auto [few, many] = std::minmax(zeros[0], zeros[1]);
  return is_marked || (many > 1 && 8 * many > begin.size() && 8 * few < many);
}

inline constexpr const char* no_utf8 =
    ": expected a text in UTF-8, found UTF-16\n  iconv -f UTF-16 -t UTF-8 makes one of it.";

/// Throws argument_error for a text that is UTF-16.
inline void check_encoding(std::string_view text, std::string_view name) {
  if (is_utf16(text)) throw transept::argument_error(std::string(name) + no_utf8);
}

/// All bytes of a stream, or of a file ("-": standard input). Throws file_error.
inline std::string read_all(std::istream& in, std::string_view name) {
  std::string bytes{std::istreambuf_iterator<char>(in), {}};
  if (in.bad()) throw transept::file_error(std::string(name) + ": cannot be read");
  return bytes;
}

inline std::string read_all(const std::filesystem::path& path) {
  if (path == "-") return read_all(std::cin, "standard input");
  if (std::filesystem::is_directory(path)) throw transept::file_error(path.string() + ": is a folder");
  std::ifstream file(path, std::ios::binary);
  if (!file) throw transept::file_error(path.string() + ": cannot be opened");
  return read_all(file, path.string());
}

/// What --ids was given: the ids themselves, or @FILE with the ids in it.
inline std::vector<transept::token_id> ids_argument(const std::string& argument) {
  if (!argument.starts_with('@')) return parse_ids(argument, "--ids");
  const std::filesystem::path path = argument.substr(1);
  return parse_ids(read_all(path), path.string());
}

} // namespace examples
