// A tokenizer.json of Hugging Face's `tokenizers`, of the kinds that this library has (vocabulary_files.hpp).
// What the file asks for and would change the tokens is done or refused, never ignored.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <transept/core/display.hpp>
#include <transept/core/error.hpp>
#include <transept/core/json.hpp>
#include <transept/text/impl/tokenizer_json_normalizers.hpp>
#include <transept/text/impl/tokenizer_json_pre_tokenizers.hpp>
#include <transept/text/impl/tokenizer_json_source.hpp>
#include <transept/text/impl/vocabulary_builder.hpp>
#include <transept/text/impl/vocabulary_pieces.hpp>
#include <transept/text/vocabulary.hpp>

namespace transept::inline TRANSEPT_ABI {
namespace detail {

/// Reads one tokenizer.json.
class tokenizer_json_reader {
public:
  explicit tokenizer_json_reader(const std::string& source) : file_(source), builder_(rules_) {}

  vocabulary read(const json& root) {
    if (!root.is_object()) file_.refuse("the file", root, "an object");
    const json& model = file_.member(root, "model");
    if (!model.is_object()) file_.refuse("model", model, "an object");
    const json& type = file_.member(model, "type");
    read_normalizer(file_, "normalizer", file_.member(root, "normalizer"), rules_);
    rules_.steps.clear();
    tokenizer_json_pre_tokenizers pre_tokenizers(file_, rules_);
    pre_tokenizers.read("pre_tokenizer", file_.member(root, "pre_tokenizer"));
    const bool is_byte_level = pre_tokenizers.is_byte_level();
    const json& decoder = file_.member(root, "decoder");
    if (type == "Unigram") {
      if (is_byte_level)
        file_.refuse("pre_tokenizer", root["pre_tokenizer"], "no ByteLevel before a Unigram");
      check_decoder(decoder, false);
      return read_unigram(root, model);
    }
    if (type == "WordPiece") {
      if (is_byte_level)
        file_.refuse("pre_tokenizer", root["pre_tokenizer"], "no ByteLevel before a WordPiece");
      return read_word_pieces(root, model);
    }
    if (!type.is_null() && type != "BPE")
      file_.refuse("model.type", type, "\"BPE\", \"Unigram\", \"WordPiece\"");
    check_decoder(decoder, is_byte_level);
    return read_byte_pairs(root, model, is_byte_level);
  }

  /// What was read of tokens and added tokens.
  const vocabulary_builder& tokens() const { return builder_; }

private:
  vocabulary read_byte_pairs(const json& root, const json& model, bool is_byte_level) {
    for (const char* key : {"dropout", "continuing_subword_prefix"})
      file_.expect_absent("model.", model, key);
    if (const json& suffix = file_.member(model, "end_of_word_suffix"); !suffix.is_null() && suffix != "") {
      if (suffix != "</w>") file_.refuse("model.end_of_word_suffix", suffix, "\"</w>\"");
      rules_.end_of_word = "</w>";
    }
    rules_.fuses_unknown = file_.flag("model.", model, "fuse_unk");
    rules_.takes_whole_pieces = file_.flag("model.", model, "ignore_merges");
    builder_.bytes_fall_back(file_.flag("model.", model, "byte_fallback"));
    rules_.by_characters = !is_byte_level;
    if (rules_.takes_whole_pieces && rules_.by_characters)
      file_.refuse("model.ignore_merges", true, "false, but for a byte-level BPE");
    if (is_byte_level)
      for (const char* key : {"byte_fallback", "end_of_word_suffix"})
        if (const json& value = file_.member(model, key); !value.is_null() && value != false && value != "")
          file_.refuse(std::string("model.") + key, value, "none in a byte-level BPE");
    read_table(model);
    if (!file_.member(model, "merges").is_array())
      file_.refuse("model.merges", file_.member(model, "merges"), "an array");
    read_added_tokens(file_.member(root, "added_tokens"));
    read_merges(model["merges"]);
    read_unknown(model);
    read_post_processor("post_processor", file_.member(root, "post_processor"));
    return builder_.finish();
  }

  vocabulary read_unigram(const json& root, const json& model) {
    rules_.by_characters = true; // as far as reading goes
    builder_.bytes_fall_back(file_.flag("model.", model, "byte_fallback"));
    const json& table = file_.member(model, "vocab");
    if (!table.is_array() || table.empty())
      file_.refuse("model.vocab", table, "an array of pieces and scores");
    std::vector<double> scores;
    for (const json& each : table) {
      const bool is_pair = each.is_array() && each.size() == 2 && each[0].is_string() && each[1].is_number();
      const std::string where = "model.vocab[" + std::to_string(scores.size()) + "]";
      if (!is_pair) file_.refuse(where, each, "a piece and its score");
      if (!std::isfinite(each[1].get<double>())) file_.refuse(where, each[1], "a number");
      builder_.add_token(each[0], static_cast<token_id>(scores.size()), file_.name());
      scores.push_back(each[1].get<double>());
    }
    if (const json& unknown = file_.member(model, "unk_id"); !unknown.is_null())
      rules_.unknown = builder_.known_id(unknown, file_.name() + ": model.unk_id");
    read_added_tokens(file_.member(root, "added_tokens"));
    read_post_processor("post_processor", file_.member(root, "post_processor"));
    vocabulary made = builder_.finish();
    made.unknown_score = *std::min_element(scores.begin(), scores.end()) - unknown_penalty;
    make_unigram(made, scores);
    return made;
  }

  vocabulary read_word_pieces(const json& root, const json& model) {
    rules_.by_characters = true; // as far as reading goes
    std::string prefix = "##";
    if (const json& found = file_.member(model, "continuing_subword_prefix"); !found.is_null())
      prefix = file_.text("model.", model, "continuing_subword_prefix");
    if (const json& most = file_.member(model, "max_input_chars_per_word"); !most.is_null()) {
      if (!most.is_number_unsigned()) file_.refuse("model.max_input_chars_per_word", most, "a whole number");
      rules_.most_characters = most.get<std::size_t>();
    }
    const json& decoder = file_.member(root, "decoder");
    if (!decoder.is_null()) {
      const bool fits = file_.type_of(decoder) == "WordPiece" && (file_.member(decoder, "prefix").is_null() ||
                                                                  file_.member(decoder, "prefix") == prefix);
      if (!fits) file_.refuse("decoder", decoder, "WordPiece, with the model's prefix");
    }
    read_table(model);
    read_added_tokens(file_.member(root, "added_tokens"));
    read_unknown(model);
    read_post_processor("post_processor", file_.member(root, "post_processor"));
    vocabulary made = builder_.finish();
    make_word_pieces(made, prefix, !decoder.is_null() && file_.flag("decoder.", decoder, "cleanup", true));
    return made;
  }

  void read_table(const json& model) {
    if (!model.contains("vocab") || !model["vocab"].is_object())
      file_.refuse("model.vocab", file_.member(model, "vocab"), "an object");
    builder_.add_tokens(model["vocab"], file_.name());
  }

  void read_unknown(const json& model) {
    if (file_.member(model, "unk_token").is_null()) return;
    if (!model["unk_token"].is_string()) file_.refuse("model.unk_token", model["unk_token"], "a token");
    rules_.unknown =
        builder_.id_of_symbol(model["unk_token"].get<std::string>(), file_.name() + ": model.unk_token");
  }

  /// What decoding does follows from what encoding did; a decoder that does something else is refused.
  void check_decoder(const json& found, bool is_byte_level) const {
    if (found.is_null()) return;
    const std::string type = file_.type_of(found);
    if (is_byte_level && type != "ByteLevel")
      file_.refuse("decoder", found, "ByteLevel, where the pre_tokenizer is one");
    if (is_byte_level) return;
    const bool known =
        type == "Sequence" || type == "Metaspace" || type == "BPEDecoder" || type == "ByteFallback";
    if (!known) file_.refuse("decoder", found, "Sequence, Metaspace or BPEDecoder");
  }

  /// ByteLevel as post-processor only trims offsets. A template says what is put around a text.
  void read_post_processor(const std::string& key, const json& found) {
    if (found.is_null()) return;
    const std::string type = file_.type_of(found);
    if (type == "ByteLevel") return;
    if (type == "Sequence")
      return file_.for_each(key, found, "processors", [&](const std::string& place, const json& each) {
        read_post_processor(place, each);
      });
    if (type == "BertProcessing" || type == "RobertaProcessing") {
      const auto token = [&](const char* name) {
        const json& pair = file_.member(found, name);
        if (!pair.is_array() || pair.size() != 2) file_.refuse(key + "." + name, pair, "a token and its id");
        return builder_.known_id(pair[1], file_.name() + ": " + key);
      };
      rules_.before.push_back(token("cls"));
      rules_.after.push_back(token("sep"));
      std::vector<token_id> middle = rules_.after;
      const bool has_types = type == "BertProcessing";
      if (!has_types) middle.push_back(rules_.after.back());
      rules_.pair = pair_template(rules_.before, middle, rules_.after, has_types ? 1 : 0);
      return;
    }
    if (type != "TemplateProcessing")
      file_.refuse(key, found,
                   "ByteLevel, TemplateProcessing, BertProcessing, RobertaProcessing, a Sequence of these");
    const auto parts = read_template(key + ".single", file_.member(found, "single"), found);
    bool behind = false;
    for (const pair_part& part : parts) {
      if (part.kind == pair_part::part_kind::token) {
        (behind ? rules_.after : rules_.before).push_back(part.token);
      } else {
        if (behind || part.kind != pair_part::part_kind::first_text)
          file_.refuse(key + ".single", found["single"], "a template with the text once");
        behind = true;
      }
    }
    if (!behind) file_.refuse(key + ".single", found["single"], "a template with the text");
    if (std::any_of(parts.begin(), parts.end(), [](const pair_part& part) { return part.type != 0; }))
      rules_.single = parts;
    if (const json& pair = file_.member(found, "pair"); !pair.is_null()) {
      rules_.pair = read_template(key + ".pair", pair, found);
      for (const auto kind : {pair_part::part_kind::first_text, pair_part::part_kind::second_text})
        if (std::count_if(rules_.pair.begin(), rules_.pair.end(),
                          [&](const pair_part& part) { return part.kind == kind; }) != 1)
          file_.refuse(key + ".pair", pair, "a template with each text once");
    }
  }

  /// The parts of a template, whose special tokens `found` lists.
  std::vector<pair_part> read_template(const std::string& key, const json& parts, const json& found) {
    if (!parts.is_array()) file_.refuse(key, parts, "an array");
    std::vector<pair_part> all;
    for (const json& part : parts) {
      const bool is_text = part.is_object() && part.contains("Sequence");
      const json& named = file_.member(part, is_text ? "Sequence" : "SpecialToken");
      const json& type_id = file_.member(named, "type_id");
      if (!type_id.is_null() && !(type_id.is_number_unsigned() && type_id.get<std::uint64_t>() < 256))
        file_.refuse(key, parts, "token types from 0 to 255");
      const int type = type_id.is_null() ? 0 : type_id.get<int>();
      const json& id = file_.member(named, "id");
      if (is_text) {
        const bool is_second = id == "B";
        if (!is_second && id != "A" && !id.is_null()) file_.refuse(key, parts, "the texts A and B");
        all.push_back(
            {is_second ? pair_part::part_kind::second_text : pair_part::part_kind::first_text, 0, type});
        continue;
      }
      const json& ids =
          file_.member(file_.member(file_.member(found, "special_tokens"),
                                    id.is_string() ? id.get_ref<const std::string&>().c_str() : ""),
                       "ids");
      if (!ids.is_array()) file_.refuse(key, parts, "the text and special tokens with their ids");
      for (const json& each : ids)
        all.push_back(
            {pair_part::part_kind::token, builder_.known_id(each, file_.name() + ": " + key), type});
    }
    return all;
  }

  void read_added_tokens(const json& found) {
    if (found.is_null()) return;
    if (!found.is_array()) file_.refuse("added_tokens", found, "an array");
    for (const json& token : found) {
      if (!file_.member(token, "content").is_string())
        file_.refuse("added_tokens[].content", file_.member(token, "content"), "a string");
      const std::string& text = token["content"].get_ref<const std::string&>();
      const std::string where = "added token " + quoted(text) + ": ";
      if (!token.contains("id")) file_.refuse(where + "id", json(), "a whole number");
      added_token flags{.id = 0,
                        .special = file_.flag(where, token, "special"),
                        .lstrip = file_.flag(where, token, "lstrip"),
                        .rstrip = file_.flag(where, token, "rstrip"),
                        .single_word = file_.flag(where, token, "single_word")};
      // Only where a normalizer changes texts is there a difference.
      flags.normalized = file_.flag(where, token, "normalized", !flags.special) && has_normalizer();
      builder_.add_added(text, token["id"], flags, file_.name());
    }
  }

  bool has_normalizer() const { return !rules_.normalizers.empty() || rules_.marks_spaces; }

  void read_merges(const json& merges) {
    std::size_t number = 0;
    for (const json& merge : merges) {
      const std::string where = file_.name() + ": merge " + std::to_string(number++);
      if (merge.is_string()) {
        add_merge_line(builder_, merge.get_ref<const std::string&>(), where);
      } else if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
        builder_.add_merge(merge[0], merge[1], where);
      } else {
        builder_.fail(where, "expected two tokens, found " + described(merge));
      }
    }
  }

  /// How much less likely than the least likely piece a character is that is none.
  static constexpr double unknown_penalty = 10;

  tokenizer_json_source file_;
  text_rules rules_;
  vocabulary_builder builder_;
};

} // namespace detail
} // namespace transept::inline TRANSEPT_ABI
