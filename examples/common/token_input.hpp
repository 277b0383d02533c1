// How a program is given tokens: `--prompt TEXT`, which needs the folder's vocabulary, or `--ids 1,2,3`,
// which does not.
#pragma once

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <CLI/CLI.hpp>

#include <transept/core/error.hpp>
#include <transept/core/json.hpp>
#include <transept/core/types.hpp>
#include <transept/text/load_tokenizer.hpp>

namespace examples {

/// The ids of "1,2,3"; spaces around them are passed over; blank: none. Throws argument_error.
inline std::vector<transept::token_id> parse_ids(std::string_view text) {
  std::vector<transept::token_id> ids;
  if (text.find_first_not_of(' ') == text.npos) return ids;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    std::string_view part = text.substr(begin, end - begin);
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    transept::token_id id = 0;
    const auto [rest, error] = std::from_chars(part.data(), part.data() + part.size(), id);
    if (error != std::errc{} || rest != part.data() + part.size())
      throw transept::argument_error("--ids: expected token ids such as 1,2,3, found " +
                                     transept::quoted(part));
    ids.push_back(id);
    begin = end + 1;
  }
  return ids;
}

/// --prompt or --ids.
struct token_input {
  std::optional<std::string> prompt;
  std::optional<std::string> ids;

  void add_to(CLI::App& app) {
    auto* const text = app.add_option("--prompt", prompt, "Text to feed")->type_name("TEXT");
    app.add_option("--ids", ids, "Token ids to feed, such as 1,2,3; needs no vocabulary")
        ->type_name("IDS")
        ->excludes(text);
  }

  bool given() const { return prompt || ids; }

  /// The tokens; of no text at all where neither was given.
  std::vector<transept::token_id> tokens(const std::filesystem::path& folder) const {
    return ids ? parse_ids(*ids) : transept::load_tokenizer(folder).encode(prompt.value_or(""));
  }
};

} // namespace examples
