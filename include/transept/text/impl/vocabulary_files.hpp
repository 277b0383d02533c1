// How the files of a vocabulary are read (text/vocabulary_files.hpp).
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <transept/core/json.hpp>
#include <transept/text/impl/tokenizer_json.hpp>
#include <transept/text/impl/vocabulary_builder.hpp>
#include <transept/text/impl/vocabulary_pieces.hpp>
#include <transept/text/unicode.hpp>
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
    for (const auto& [text, id] : table.items()) builder.add_added(text, id, added_token{}, added->name);
  }
  detail::add_merge_lines(builder, merges);
  return builder.finish();
}

TRANSEPT_FUNCTION vocabulary read_tokenizer_json(const source_text& file,
                                                 const std::optional<source_text>& table) {
  const json root = parse_json(file.text, file.name);
  detail::tokenizer_json_reader reader(file.name);
  vocabulary made = reader.read(root);
  if (!table || !root["model"]["vocab"].is_object()) return made;
  const json beside = parse_json(table->text, table->name);
  const json& own = root["model"]["vocab"];
  std::size_t known = 0; // of the model's own tokens
  for (const auto& [token, id] : beside.items()) {
    const auto found = own.find(token);
    if (found != own.end() && *found == id) {
      ++known;
      continue;
    }
    const auto added = reader.tokens().id_of_added(token);
    const json here = found != own.end() ? *found : added ? json(*added) : json();
    if (here == id) continue;
    made.note = table->name + " disagrees with " + file.name + " about token " + quoted(token) + " (" +
                id.dump() + ", " + here.dump() + "): tokenizer.json counts";
    return made;
  }
  if (known < own.size())
    made.note = table->name + " lacks " + std::to_string(own.size() - known) + " tokens that " + file.name +
                " has: tokenizer.json counts";
  return made;
}

TRANSEPT_FUNCTION vocabulary read_vocabulary_lines(const source_text& file,
                                                   const bert_tokenizer_settings& settings) {
  text_rules rules{.steps = {splitting::words},
                   .by_characters = true}; // by characters as far as reading goes
  rules.normalizers =
      detail::bert_normalizers({true, settings.ideographs_apart,
                                settings.strips_accents.value_or(settings.lower_case), settings.lower_case});
  detail::vocabulary_builder builder(rules);
  token_id next = 0;
  for (std::string_view rest = file.text; !rest.empty(); ++next) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (line.ends_with('\r')) line.remove_suffix(1);
    const std::string where = file.name + ":" + std::to_string(next + 1);
    if (!is_utf8(line)) builder.fail(where, "expected a token in UTF-8, found " + quoted(line));
    builder.add_token(std::string(line), next, where);
  }
  if (next == 0) builder.fail(file.name, "no tokens");
  const auto add_special = [&](const std::string& text) {
    const std::optional<token_id> id = builder.find_symbol(text);
    if (id) builder.add_added(text, *id, added_token{.id = *id}, file.name);
    return id;
  };
  for (const std::string& each : settings.others) add_special(each);
  rules.unknown = add_special(settings.unknown);
  if (const auto id = add_special(settings.begin)) rules.before.push_back(*id);
  if (const auto id = add_special(settings.end)) rules.after.push_back(*id);
  rules.pair = pair_template(rules.before, rules.after, rules.after, 1);
  vocabulary made = builder.finish();
  detail::make_word_pieces(made, "##", true);
  return made;
}

} // namespace transept::inline TRANSEPT_ABI
