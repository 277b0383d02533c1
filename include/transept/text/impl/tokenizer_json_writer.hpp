// How a vocabulary is written as a tokenizer.json (text/tokenizer_json_writer.hpp).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include <transept/core/display.hpp>
#include <transept/core/error.hpp>
#include <transept/core/json.hpp>
#include <transept/text/impl/tokenizer_json_pre_tokenizers.hpp>
#include <transept/text/token_lists.hpp>
#include <transept/text/tokenizer.hpp>
#include <transept/text/tokenizer_json_writer.hpp>
#include <transept/text/unicode.hpp>
#include <transept/text/vocabulary_files.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

/// Writes one tokenizer.json.
class tokenizer_json_writer {
public:
  explicit tokenizer_json_writer(const vocabulary& from)
      : from_(from), rules_(from.rules), symbols_(written_tokens_of(from).symbols) {
    for (const std::string& each : symbols_)
      if (!is_utf8(each))
        throw tokenizer_error("token " + quoted(each) + " is no UTF-8, which a tokenizer.json has to be");
  }

  std::string text() const {
    std::string all = "{\n  \"version\": \"1.0\",\n  \"truncation\": null,\n  \"padding\": null";
    const auto add = [&](const char* key, const std::string& value) {
      all += ",\n  \"" + std::string(key) + "\": " + value;
    };
    add("added_tokens", added_tokens().dump());
    add("normalizer", normalizer_of().dump());
    add("pre_tokenizer", pre_tokenizer().dump());
    add("post_processor", post_processor().dump());
    add("decoder", decoder().dump());
    add("model", model());
    return all + "\n}\n";
  }

private:
  bool is_byte_level() const { return !rules_.by_characters; }

  const std::string& symbol(token_id id) const { return symbols_[static_cast<std::size_t>(id)]; }

  json added_tokens() const {
    json all = json::array();
    for (const added_token& each : from_.added)
      all.push_back({{"id", each.id},
                     {"content", symbol(each.id)},
                     {"single_word", each.single_word},
                     {"lstrip", each.lstrip},
                     {"rstrip", each.rstrip},
                     {"normalized", each.normalized},
                     {"special", each.special}});
    std::sort(all.begin(), all.end(), [](const json& a, const json& b) { return a["id"] < b["id"]; });
    return all;
  }

  json normalizer_of() const {
    json steps = json::array();
    if (rules_.normalizers == std::vector{normalizer::nfc}) steps.push_back({{"type", "NFC"}});
    if (rules_.by_characters && rules_.prefix == space_prefix::always)
      steps.push_back({{"type", "Prepend"}, {"prepend", "▁"}});
    if (rules_.by_characters && rules_.marks_spaces)
      steps.push_back({{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", "▁"}});
    if (steps.size() < 2) return steps.empty() ? json() : steps[0];
    return {{"type", "Sequence"}, {"normalizers", steps}};
  }

  json pre_tokenizer() const {
    if (rules_.by_characters) return {};
    const auto byte_level = [&](bool cuts) {
      return json{{"type", "ByteLevel"},
                  {"add_prefix_space", rules_.prefix == space_prefix::unless_there},
                  {"trim_offsets", true},
                  {"use_regex", cuts}};
    };
    if (rules_.steps == std::vector{splitting::gpt2}) return byte_level(true);
    json steps = json::array();
    for (const splitting step : rules_.steps)
      if (step == splitting::punctuation)
        steps.push_back({{"type", "Punctuation"}, {"behavior", "Contiguous"}});
      else if (step == splitting::digit_bytes) // which follows the change to bytes, and the rest does too
        steps.push_back({{"type", "Digits"}, {"individual_digits", false}});
      else
        steps.push_back({{"type", "Split"},
                         {"pattern", {{"Regex", pattern_of(step)}}},
                         {"behavior", "Isolated"},
                         {"invert", false}});
    const auto bytes = std::find(rules_.steps.begin(), rules_.steps.end(), splitting::digit_bytes);
    steps.insert(steps.begin() + (bytes - rules_.steps.begin()), byte_level(false));
    return {{"type", "Sequence"}, {"pretokenizers", steps}};
  }

  json post_processor() const {
    if (rules_.before.empty() && rules_.after.empty())
      return is_byte_level() ? json{{"type", "ByteLevel"}, {"add_prefix_space", true}, {"trim_offsets", true}}
                             : json();
    json tokens = json::object();
    const auto written = [&](const std::vector<pair_part>& parts) {
      json all = json::array();
      for (const pair_part& part : parts) {
        const bool is_token = part.kind == pair_part::part_kind::token;
        const json id = is_token ? symbol(part.token)
                                 : std::string(part.kind == pair_part::part_kind::first_text ? "A" : "B");
        all.push_back({{is_token ? "SpecialToken" : "Sequence", {{"id", id}, {"type_id", part.type}}}});
        if (is_token)
          tokens[symbol(part.token)] = {
              {"id", symbol(part.token)}, {"ids", {part.token}}, {"tokens", {symbol(part.token)}}};
      }
      return all;
    };
    const json single = written(rules_.single.empty() ? one_after_another(1) : rules_.single);
    const json pair = written(rules_.pair.empty() ? one_after_another(2) : rules_.pair);
    return {{"type", "TemplateProcessing"}, {"single", single}, {"pair", pair}, {"special_tokens", tokens}};
  }

  /// Texts one behind the other, each with what is put around it: of two, what transformers writes where a
  /// model takes no pairs.
  std::vector<pair_part> one_after_another(int texts) const {
    using enum pair_part::part_kind;
    std::vector<pair_part> parts;
    for (int text = 0; text < texts; ++text) {
      for (const token_id each : rules_.before) parts.push_back({token, each, text});
      parts.push_back({text == 0 ? first_text : second_text, 0, text});
      for (const token_id each : rules_.after) parts.push_back({token, each, text});
    }
    return parts;
  }

  json decoder() const {
    if (is_byte_level())
      return {{"type", "ByteLevel"}, {"add_prefix_space", true}, {"trim_offsets", true}, {"use_regex", true}};
    json steps = json::array();
    if (rules_.marks_spaces)
      steps.push_back({{"type", "Replace"}, {"pattern", {{"String", "▁"}}}, {"content", " "}});
    steps.push_back({{"type", "ByteFallback"}});
    steps.push_back({{"type", "Fuse"}});
    if (rules_.prefix != space_prefix::none)
      steps.push_back({{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
    return {{"type", "Sequence"}, {"decoders", steps}};
  }

  std::string model() const {
    const bool has_bytes = std::any_of(from_.byte_tokens.begin(), from_.byte_tokens.end(),
                                       [](token_id each) { return each != no_token; });
    json rest = {{"dropout", nullptr},
                 {"unk_token", rules_.unknown ? json(symbol(*rules_.unknown)) : json()},
                 {"continuing_subword_prefix", nullptr},
                 {"end_of_word_suffix", nullptr},
                 {"fuse_unk", rules_.fuses_unknown},
                 {"byte_fallback", rules_.by_characters && has_bytes},
                 {"ignore_merges", rules_.takes_whole_pieces}};
    std::string all = "{\n    \"type\": \"BPE\"";
    for (const auto& [key, value] : rest.items()) all += ",\n    \"" + key + "\": " + value.dump();
    all += ",\n    \"vocab\": {";
    for (std::size_t id = 0; id < symbols_.size(); ++id)
      all += (id == 0 ? "\n      " : ",\n      ") + json_literal(symbols_[id]) + ": " + std::to_string(id);
    all += "\n    },\n    \"merges\": [";
    bool is_first = true;
    for (const token_merge& merge : merges()) {
      const std::string &left = symbol(merge.left), &right = symbol(merge.right);
      const bool has_space = left.find(' ') != left.npos || right.find(' ') != right.npos;
      all += (is_first ? "\n      " : ",\n      ");
      all += has_space ? json{left, right}.dump() : json_literal(left + " " + right);
      is_first = false;
    }
    return all + "\n    ]\n  }";
  }

  /// In the order in which a reader takes them: of equal ranks the one with the longest parts first.
  std::vector<token_merge> merges() const {
    std::vector<token_merge> all = from_.merges;
    const auto characters = [&](token_id id) {
      std::size_t count = 0;
      for (std::string_view rest = symbol(id); !rest.empty(); ++count)
        rest.remove_prefix(first_character(rest).length);
      return count;
    };
    const bool is_ranked =
        std::any_of(all.begin(), all.end(), [](const auto& each) { return each.rank >= 0; });
    if (!is_ranked) return all;
    struct keyed {
      std::tuple<std::int32_t, std::size_t, std::size_t, token_id, token_id, token_id> key;
      token_merge merge;
    };
    std::vector<keyed> sorted;
    for (const token_merge& each : all)
      sorted.push_back(
          {{each.rank, ~characters(each.left), ~characters(each.right), each.merged, each.left, each.right},
           each});
    std::sort(sorted.begin(), sorted.end(), [](const keyed& a, const keyed& b) { return a.key < b.key; });
    std::transform(sorted.begin(), sorted.end(), all.begin(), [](const keyed& each) { return each.merge; });
    return all;
  }

  const vocabulary& from_;
  const text_rules& rules_;
  std::vector<std::string> symbols_;
};

/// Whether a vocabulary was read as another, but for the order of merges that are equally early.
inline bool is_read_as(vocabulary read, vocabulary from) {
  for (vocabulary* const each : {&read, &from})
    std::sort(each->added.begin(), each->added.end(),
              [](const added_token& a, const added_token& b) { return a.id < b.id; });
  if (from.rules.pair.empty()) read.rules.pair.clear(); // a file has one in any case
  const auto same_token = [](const added_token& a, const added_token& b) {
    return a.id == b.id && a.special == b.special && a.lstrip == b.lstrip && a.rstrip == b.rstrip &&
           a.single_word == b.single_word && a.normalized == b.normalized && a.text == b.text;
  };
  const auto pairs_of = [](const vocabulary& of) {
    std::vector<std::tuple<token_id, token_id, token_id>> pairs;
    for (const token_merge& each : of.merges) pairs.emplace_back(each.left, each.right, each.merged);
    std::sort(pairs.begin(), pairs.end());
    return pairs;
  };
  return read.tokens == from.tokens && read.byte_tokens == from.byte_tokens && read.rules == from.rules &&
         read.characters.size() == from.characters.size() &&
         std::equal(read.added.begin(), read.added.end(), from.added.begin(), from.added.end(), same_token) &&
         pairs_of(read) == pairs_of(from);
}

} // namespace detail

TRANSEPT_FUNCTION std::string tokenizer_json_of(const vocabulary& from) {
  if (from.rules.model != token_model::byte_pairs)
    throw tokenizer_error("only byte-pair encodings are written as a tokenizer.json");
  (void)tokenizer(from); // refuses what contradicts itself
  const std::string text = detail::tokenizer_json_writer(from).text();
  constexpr const char* problem =
      "this kind of vocabulary has no tokenizer.json that would be read as the same";
  try {
    if (detail::is_read_as(read_tokenizer_json({"tokenizer.json", text}), from)) return text;
  } catch (const error& found) {
    throw tokenizer_error(std::string(problem) + ": " + found.what());
  }
  throw tokenizer_error(problem);
}

} // namespace transept::inline TRANSEPT_ABI
