// How the files of a vocabulary are read (text/vocabulary_files.hpp).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <transept/core/json.hpp>
#include <transept/text/impl/tokenizer_json.hpp>
#include <transept/text/impl/vocabulary_builder.hpp>
#include <transept/text/vocabulary_files.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

/// Adds the lines of merges.txt.
inline void add_merge_lines(vocabulary_builder& builder, const source_text& merges) {
  constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
  std::string_view rest = merges.text;
  if (rest.starts_with(byte_order_mark)) rest.remove_prefix(byte_order_mark.size());
  for (std::size_t number = 1; !rest.empty(); ++number) {
    const std::size_t end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || (number == 1 && line.starts_with("#version"))) continue;
    const std::string where = merges.name + ":" + std::to_string(number);
    add_merge_line(builder, line, where);
  }
}

} // namespace detail

TRANSEPT_FUNCTION vocabulary read_vocabulary(const source_text& tokens, const source_text& merges,
                                             const std::optional<source_text>& added) {
  detail::vocabulary_builder builder;
  builder.add_tokens(parse_json(tokens.text, tokens.name), tokens.name);
  if (added) {
    const json table = parse_json(added->text, added->name);
    if (!table.is_object()) {
      builder.fail(added->name, "expected an object of tokens and ids, found " + described(table));
    }
    for (const auto& [text, id] : table.items()) builder.add_added(text, id, true, added->name);
  }
  detail::add_merge_lines(builder, merges);
  return builder.finish();
}

TRANSEPT_FUNCTION vocabulary read_tokenizer_json(const source_text& file) {
  const json root = parse_json(file.text, file.name);
  detail::tokenizer_json_check(file.name).run(root);
  const json& model = root["model"];
  detail::vocabulary_builder builder;
  builder.add_tokens(model["vocab"], file.name);
  if (const auto added = root.find("added_tokens"); added != root.end()) {
    for (const json& token : *added) {
      builder.add_added(token["content"], token["id"], token.contains("special") && token["special"] == true,
                        file.name);
    }
  }
  std::size_t number = 0;
  for (const json& merge : model["merges"]) {
    const std::string where = file.name + ": merge " + std::to_string(number++);
    if (merge.is_string()) {
      detail::add_merge_line(builder, merge.get_ref<const std::string&>(), where);
    } else if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
      builder.add_merge(merge[0], merge[1], where);
    } else {
      builder.fail(where, "expected two tokens, found " + described(merge));
    }
  }
  return builder.finish();
}

} // namespace transept::inline TRANSEPT_ABI
