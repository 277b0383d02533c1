// A tokenizer.json of Hugging Face's `tokenizers`, of the kinds that this library has (vocabulary_files.hpp).
// What the file asks for and would change the tokens is done or refused, never ignored.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <transept/core/display.hpp>
#include <transept/core/error.hpp>
#include <transept/core/json.hpp>
#include <transept/text/impl/vocabulary_builder.hpp>
#include <transept/text/vocabulary.hpp>

namespace transept::inline TRANSEPT_ABI {
namespace detail {

/// The patterns that a Split may have: a closed list, for each is written out by hand (splitting.hpp).
inline std::optional<splitting> splitting_of(std::string_view pattern) {
  static constexpr std::pair<std::string_view, splitting> known[] = {
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
  for (const auto& [text, step] : known)
    if (text == pattern) return step;
  return std::nullopt;
}

/// Reads one tokenizer.json: every failure says which key, what it holds and what is supported.
class tokenizer_json_reader {
public:
  explicit tokenizer_json_reader(const std::string& source) : source_(source), builder_(rules_) {}

  vocabulary read(const json& root) {
    if (!root.is_object()) refuse("the file", root, "an object");
    const json& model = member(root, "model");
    if (!model.is_object()) refuse("model", model, "an object");
    read_model_settings(model);
    read_normalizer("normalizer", member(root, "normalizer"));
    rules_.steps.clear();
    read_pre_tokenizer("pre_tokenizer", member(root, "pre_tokenizer"), true);
    check_decoder(member(root, "decoder"));
    rules_.by_characters = !is_byte_level_;
    if (rules_.takes_whole_pieces && rules_.by_characters)
      refuse("model.ignore_merges", true, "false, but for a byte-level BPE");
    if (is_byte_level_)
      for (const char* key : {"byte_fallback", "end_of_word_suffix"})
        if (const json& value = member(model, key); !value.is_null() && value != false && value != "")
          refuse(std::string("model.") + key, value, "none in a byte-level BPE");
    if (!model.contains("vocab") || !model["vocab"].is_object())
      refuse("model.vocab", member(model, "vocab"), "an object");
    if (!member(model, "merges").is_array()) refuse("model.merges", member(model, "merges"), "an array");

    builder_.add_tokens(model["vocab"], source_);
    read_added_tokens(member(root, "added_tokens"));
    read_merges(model["merges"]);
    if (const json& unknown = member(model, "unk_token"); !unknown.is_null()) {
      if (!unknown.is_string()) refuse("model.unk_token", unknown, "a token");
      rules_.unknown = builder_.id_of_symbol(unknown.get<std::string>(), source_ + ": model.unk_token");
    }
    read_post_processor("post_processor", member(root, "post_processor"));
    return builder_.finish();
  }

  /// What was read of tokens and added tokens.
  const vocabulary_builder& tokens() const { return builder_; }

private:
  [[noreturn]] void refuse(const std::string& key, const json& found, const std::string& supported) const {
    throw tokenizer_error(
        source_ + ": " + key + " is " + described(found) + "; supported: " + supported +
        "\n  (byte-pair encodings are read from a tokenizer.json, of bytes and of characters)");
  }

  static const json& member(const json& object, const char* key) {
    static const json null;
    if (!object.is_object()) return null;
    const auto found = object.find(key);
    return found == object.end() ? null : *found;
  }

  /// true or false; `otherwise` where the key is missing or null.
  bool flag(const std::string& where, const json& object, const char* key, bool otherwise = false) const {
    const json& found = member(object, key);
    if (found.is_null()) return otherwise;
    if (!found.is_boolean()) refuse(where + key, found, "true or false");
    return found.get<bool>();
  }

  /// A key that must be missing, null, "" or 0.
  void expect_absent(const std::string& where, const json& object, const char* key) const {
    const json& found = member(object, key);
    if (!found.is_null() && found != "" && found != 0) refuse(where + key, found, "null");
  }

  static std::string type_of(const json& object) {
    const json& type = member(object, "type");
    return type.is_string() ? type.get<std::string>() : std::string();
  }

  void read_model_settings(const json& model) {
    const json& type = member(model, "type");
    if (!type.is_null() && type != "BPE") refuse("model.type", type, "\"BPE\"");
    for (const char* key : {"dropout", "continuing_subword_prefix"}) expect_absent("model.", model, key);
    if (const json& suffix = member(model, "end_of_word_suffix"); !suffix.is_null() && suffix != "") {
      if (suffix != "</w>") refuse("model.end_of_word_suffix", suffix, "\"</w>\"");
      rules_.end_of_word = "</w>";
    }
    rules_.fuses_unknown = flag("model.", model, "fuse_unk");
    rules_.takes_whole_pieces = flag("model.", model, "ignore_merges");
    builder_.bytes_fall_back(flag("model.", model, "byte_fallback"));
  }

  void read_normalizer(const std::string& key, const json& found) {
    if (found.is_null()) return;
    const std::string type = type_of(found);
    if (type == "Sequence") {
      const json& all = member(found, "normalizers");
      if (!all.is_array()) refuse(key + ".normalizers", all, "an array");
      for (std::size_t i = 0; i < all.size(); ++i)
        read_normalizer(key + ".normalizers[" + std::to_string(i) + "]", all[i]);
    } else if (type == "NFC") {
      rules_.normalizers.push_back(normalizer::nfc);
    } else if (type == "NFKC") {
      rules_.normalizers.push_back(normalizer::nfkc);
    } else if (type == "Lowercase") {
      rules_.normalizers.push_back(normalizer::lower_case);
    } else if (type == "BertNormalizer") {
      const bool usual = flag(key + ".", found, "clean_text", true) &&
                         flag(key + ".", found, "handle_chinese_chars", true) &&
                         flag(key + ".", found, "lowercase", true) &&
                         flag(key + ".", found, "strip_accents", true);
      if (!usual) refuse(key, found, "one that cleans, lower-cases and strips accents");
      rules_.normalizers.push_back(normalizer::bert);
    } else if (type == "Prepend" && member(found, "prepend") == "▁") {
      rules_.prefix = space_prefix::always;
      rules_.marks_spaces = true;
    } else if (type == "Replace" && member(member(found, "pattern"), "String") == " " &&
               member(found, "content") == "▁") {
      rules_.marks_spaces = true;
    } else {
      refuse(key, found,
             "NFC, NFKC, Lowercase, BertNormalizer, Prepend and Replace of spaces by ▁, a Sequence of these");
    }
  }

  /// `alone`: the last, which says whether the merges are of bytes.
  void read_pre_tokenizer(const std::string& key, const json& found, bool first) {
    if (found.is_null()) return;
    const std::string type = type_of(found);
    const auto add = [&](splitting step) { rules_.steps.push_back(step); };
    if (type == "Sequence") {
      const json& all = member(found, "pretokenizers");
      if (!all.is_array()) refuse(key + ".pretokenizers", all, "an array");
      for (std::size_t i = 0; i < all.size(); ++i)
        read_pre_tokenizer(key + ".pretokenizers[" + std::to_string(i) + "]", all[i], i == 0);
    } else if (type == "ByteLevel") {
      if (is_byte_level_) refuse(key, found, "one ByteLevel");
      is_byte_level_ = true;
      if (!found.contains("add_prefix_space")) refuse(key + ".add_prefix_space", json(), "true or false");
      if (flag(key + ".", found, "add_prefix_space")) {
        if (!first && !rules_.steps.empty())
          refuse(key + ".add_prefix_space", true, "false, where pieces are cut before it");
        rules_.prefix = space_prefix::unless_there;
      }
      if (flag(key + ".", found, "use_regex", true)) add(splitting::gpt2);
    } else if (type == "Split") {
      read_split(key, found);
    } else if (type == "Digits") {
      const bool each = flag(key + ".", found, "individual_digits");
      if (is_byte_level_ != !each)
        refuse(key, found, "individual_digits before a ByteLevel, and runs behind it");
      add(each ? splitting::each_digit : splitting::digit_bytes);
    } else if (type == "Punctuation") {
      if (member(found, "behavior") != "Contiguous")
        refuse(key + ".behavior", member(found, "behavior"), "\"Contiguous\"");
      add(splitting::punctuation);
    } else if (type == "Whitespace") {
      add(splitting::word_runs);
    } else if (type == "BertPreTokenizer") {
      add(splitting::words);
    } else if (type == "Metaspace") {
      read_metaspace(key, found);
    } else {
      refuse(key, found,
             "ByteLevel, Split, Digits, Punctuation, Metaspace, Whitespace, BertPreTokenizer, a Sequence of "
             "these");
    }
  }

  void read_split(const std::string& key, const json& found) {
    const json& pattern = member(found, "pattern");
    if (flag(key + ".", found, "invert")) refuse(key + ".invert", true, "false");
    // Gemma cuts at spaces when there are none any more.
    if (member(pattern, "String") == " " && rules_.marks_spaces) return;
    const json& behaviour = member(found, "behavior");
    const json& regex = member(pattern, "Regex");
    const auto step = regex.is_string() ? splitting_of(regex.get_ref<const std::string&>()) : std::nullopt;
    if (!step)
      throw tokenizer_error(source_ + ": " + key +
                            ".pattern is not one of those that are known: " + pattern.dump());
    const bool removes_gaps = behaviour == "Removed";
    if (behaviour != "Isolated" && !removes_gaps) refuse(key + ".behavior", behaviour, "\"Isolated\"");
    if (removes_gaps) refuse(key + ".behavior", behaviour, "\"Isolated\"");
    if (is_byte_level_ && *step != splitting::three_digits)
      refuse(key, found, "[0-9][0-9][0-9] alone behind a ByteLevel");
    rules_.steps.push_back(*step);
  }

  void read_metaspace(const std::string& key, const json& found) {
    if (member(found, "replacement") != "▁")
      refuse(key + ".replacement", member(found, "replacement"), "\"▁\"");
    rules_.marks_spaces = true;
    const json& scheme = member(found, "prepend_scheme");
    const bool prepends = flag(key + ".", found, "add_prefix_space", true);
    if (scheme == "always" || (scheme.is_null() && prepends))
      rules_.prefix = space_prefix::unless_there;
    else if (scheme == "first")
      rules_.prefix = space_prefix::first_of_text;
    else if (scheme != "never" && !scheme.is_null())
      refuse(key + ".prepend_scheme", scheme, "\"always\", \"first\" or \"never\"");
    if (flag(key + ".", found, "split", true)) rules_.steps.push_back(splitting::spaces);
  }

  /// What decoding does follows from what encoding did; a decoder that does something else is refused.
  void check_decoder(const json& found) const {
    if (found.is_null()) return;
    const std::string type = type_of(found);
    if (is_byte_level_ && type != "ByteLevel")
      refuse("decoder", found, "ByteLevel, where the pre_tokenizer is one");
    if (is_byte_level_) return;
    const bool known =
        type == "Sequence" || type == "Metaspace" || type == "BPEDecoder" || type == "ByteFallback";
    if (!known) refuse("decoder", found, "Sequence, Metaspace or BPEDecoder");
  }

  /// ByteLevel as post-processor only trims offsets. A template says what is put around a text.
  void read_post_processor(const std::string& key, const json& found) {
    if (found.is_null()) return;
    const std::string type = type_of(found);
    if (type == "ByteLevel") return;
    if (type == "Sequence") {
      const json& all = member(found, "processors");
      if (!all.is_array()) refuse(key + ".processors", all, "an array");
      for (std::size_t i = 0; i < all.size(); ++i)
        read_post_processor(key + ".processors[" + std::to_string(i) + "]", all[i]);
      return;
    }
    if (type != "TemplateProcessing")
      refuse(key, found, "ByteLevel, TemplateProcessing, a Sequence of these");
    const json& single = member(found, "single");
    if (!single.is_array()) refuse(key + ".single", single, "an array");
    bool behind = false;
    for (const json& part : single) {
      if (part.is_object() && part.contains("Sequence")) {
        if (behind) refuse(key + ".single", single, "a template with the text once");
        behind = true;
        continue;
      }
      const json& id = member(member(part, "SpecialToken"), "id");
      const json& ids = member(member(member(found, "special_tokens"),
                                      id.is_string() ? id.get_ref<const std::string&>().c_str() : ""),
                               "ids");
      if (!ids.is_array()) refuse(key + ".single", single, "the text and special tokens with their ids");
      for (const json& each : ids)
        (behind ? rules_.after : rules_.before).push_back(builder_.known_id(each, source_ + ": " + key));
    }
    if (!behind) refuse(key + ".single", single, "a template with the text");
  }

  void read_added_tokens(const json& found) {
    if (found.is_null()) return;
    if (!found.is_array()) refuse("added_tokens", found, "an array");
    for (const json& token : found) {
      if (!member(token, "content").is_string())
        refuse("added_tokens[].content", member(token, "content"), "a string");
      const std::string& text = token["content"].get_ref<const std::string&>();
      const std::string where = "added token " + quoted(text) + ": ";
      if (!token.contains("id")) refuse(where + "id", json(), "a whole number");
      added_token flags{.id = 0,
                        .special = flag(where, token, "special"),
                        .lstrip = flag(where, token, "lstrip"),
                        .rstrip = flag(where, token, "rstrip"),
                        .single_word = flag(where, token, "single_word")};
      // Only where a normalizer changes texts is there a difference.
      flags.normalized = flag(where, token, "normalized", !flags.special) && has_normalizer();
      builder_.add_added(text, token["id"], flags, source_);
    }
  }

  bool has_normalizer() const { return !rules_.normalizers.empty() || rules_.marks_spaces; }

  void read_merges(const json& merges) {
    std::size_t number = 0;
    for (const json& merge : merges) {
      const std::string where = source_ + ": merge " + std::to_string(number++);
      if (merge.is_string()) {
        add_merge_line(builder_, merge.get_ref<const std::string&>(), where);
      } else if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
        builder_.add_merge(merge[0], merge[1], where);
      } else {
        builder_.fail(where, "expected two tokens, found " + described(merge));
      }
    }
  }

  const std::string& source_;
  text_rules rules_;
  vocabulary_builder builder_;
  bool is_byte_level_ = false;
};

} // namespace detail
} // namespace transept::inline TRANSEPT_ABI
