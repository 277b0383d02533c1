// The pre-tokenizers of a tokenizer.json (text/splitting.hpp does them).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/core/json.hpp>
#include <transept/text/impl/tokenizer_json_source.hpp>
#include <transept/text/vocabulary.hpp>

namespace transept::inline TRANSEPT_ABI {
namespace detail {

/// The patterns that a Split may have: a closed list, for each is written out by hand (splitting.hpp).
inline constexpr std::pair<std::string_view, splitting> splitting_patterns[] = {
    {R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)", splitting::gpt2},
    {R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
     splitting::llama3},
    {R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
     splitting::qwen2},
    {R"( ?[^(\s|[.,!?…。，、।۔،])]+)", splitting::bloom},
    {R"([0-9][0-9][0-9])", splitting::three_digits},
    {R"(\p{N}{1,3})", splitting::numbers},
    {R"(\p{N})", splitting::each_digit},
    {R"([\r\n])", splitting::line_breaks},
    {R"(\s?\p{L}+)", splitting::letters},
    {R"(\s?\p{P}+)", splitting::marks_of_punctuation},
    {R"([一-龥ࠀ-一가-퟿]+)", splitting::ideographs},
    {R"([一-龥぀-ゟ゠-ヿ]+)", splitting::ideographs_and_kana},
    {R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
     splitting::deepseek},
};

/// The step of a pattern, if it is known.
inline std::optional<splitting> splitting_of(std::string_view pattern) {
  for (const auto& [text, step] : splitting_patterns)
    if (text == pattern) return step;
  return std::nullopt;
}

/// The pattern of a step. Throws tokenizer_error where it has none.
inline std::string_view pattern_of(splitting step) {
  for (const auto& [text, known] : splitting_patterns)
    if (known == step) return text;
  throw tokenizer_error("this splitting has no pattern");
}

/// Reads what cuts texts, into rules.
class tokenizer_json_pre_tokenizers {
public:
  tokenizer_json_pre_tokenizers(const tokenizer_json_source& file, text_rules& rules)
      : file_(file), rules_(rules) {}

  /// `first`: not behind another one.
  void read(const std::string& key, const json& found, bool first = true) {
    if (found.is_null()) return;
    const std::string type = file_.type_of(found);
    const auto add = [&](splitting step) { rules_.steps.push_back(step); };
    if (type == "Sequence") {
      bool is_first = true;
      file_.for_each(key, found, "pretokenizers", [&](const std::string& place, const json& each) {
        read(place, each, std::exchange(is_first, false));
      });
    } else if (type == "ByteLevel") {
      if (is_byte_level_) file_.refuse(key, found, "one ByteLevel");
      is_byte_level_ = true;
      if (!found.contains("add_prefix_space"))
        file_.refuse(key + ".add_prefix_space", json(), "true or false");
      if (file_.flag(key + ".", found, "add_prefix_space")) {
        if (!first && !rules_.steps.empty())
          file_.refuse(key + ".add_prefix_space", true, "false, where pieces are cut before it");
        rules_.prefix = space_prefix::unless_there;
      }
      if (file_.flag(key + ".", found, "use_regex", true)) add(splitting::gpt2);
    } else if (type == "Split") {
      read_split(key, found);
    } else if (type == "Digits") {
      const bool each = file_.flag(key + ".", found, "individual_digits");
      if (is_byte_level_ != !each)
        file_.refuse(key, found, "individual_digits before a ByteLevel, and runs behind it");
      add(each ? splitting::each_digit : splitting::digit_bytes);
    } else if (type == "Punctuation") {
      if (file_.member(found, "behavior") != "Contiguous")
        file_.refuse(key + ".behavior", file_.member(found, "behavior"), "\"Contiguous\"");
      add(splitting::punctuation);
    } else if (type == "Whitespace") {
      add(splitting::word_runs);
    } else if (type == "WhitespaceSplit") {
      add(splitting::white_space);
    } else if (type == "BertPreTokenizer") {
      add(splitting::words);
    } else if (type == "Metaspace") {
      read_metaspace(key, found);
    } else {
      file_.refuse(key, found,
                   "ByteLevel, Split, Digits, Punctuation, Metaspace, Whitespace, WhitespaceSplit, "
                   "BertPreTokenizer, a Sequence of these");
    }
  }

  /// Whether there is a ByteLevel among them, so that tokens are of bytes.
  bool is_byte_level() const { return is_byte_level_; }

private:
  void read_split(const std::string& key, const json& found) {
    const json& pattern = file_.member(found, "pattern");
    if (file_.flag(key + ".", found, "invert")) file_.refuse(key + ".invert", true, "false");
    // Gemma cuts at spaces when there are none any more.
    if (file_.member(pattern, "String") == " " && rules_.marks_spaces) return;
    const json& regex = file_.member(pattern, "Regex");
    const auto step = regex.is_string() ? splitting_of(regex.get_ref<const std::string&>()) : std::nullopt;
    if (!step)
      throw tokenizer_error(file_.name() + ": " + key +
                            ".pattern is not one of those that are known: " + pattern.dump());
    if (const json& behaviour = file_.member(found, "behavior"); behaviour != "Isolated")
      file_.refuse(key + ".behavior", behaviour, "\"Isolated\"");
    if (is_byte_level_ && *step != splitting::three_digits)
      file_.refuse(key, found, "[0-9][0-9][0-9] alone behind a ByteLevel");
    rules_.steps.push_back(*step);
  }

  void read_metaspace(const std::string& key, const json& found) {
    if (file_.member(found, "replacement") != "▁")
      file_.refuse(key + ".replacement", file_.member(found, "replacement"), "\"▁\"");
    rules_.marks_spaces = true;
    const json& scheme = file_.member(found, "prepend_scheme");
    const bool prepends = file_.flag(key + ".", found, "add_prefix_space", true);
    if (scheme == "always" || (scheme.is_null() && prepends))
      rules_.prefix = space_prefix::unless_there;
    else if (scheme == "first")
      rules_.prefix = space_prefix::first_of_text;
    else if (scheme != "never" && !scheme.is_null())
      file_.refuse(key + ".prepend_scheme", scheme, "\"always\", \"first\" or \"never\"");
    if (rules_.steps == std::vector{splitting::white_space}) { // words, and then a space before each
      rules_.steps.clear();
      rules_.prefixes_words = true;
    } else if (!rules_.steps.empty()) {
      file_.refuse(key, found, "a Metaspace at the beginning, or behind WhitespaceSplit");
    }
    if (file_.flag(key + ".", found, "split", true)) rules_.steps.push_back(splitting::spaces);
  }

  const tokenizer_json_source& file_;
  text_rules& rules_;
  bool is_byte_level_ = false;
};

} // namespace detail
} // namespace transept::inline TRANSEPT_ABI
