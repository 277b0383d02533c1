// What tokenizer_config.json and special_tokens_map.json say beside a vocabulary, as transformers 5 takes
// them.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <transept/core/display.hpp>
#include <transept/core/error.hpp>
#include <transept/core/json.hpp>
#include <transept/text/impl/tokenizer_config_source.hpp>
#include <transept/text/impl/vocabulary_pieces.hpp>
#include <transept/text/vocabulary.hpp>
#include <transept/text/vocabulary_files.hpp>

namespace transept::inline TRANSEPT_ABI {
namespace detail {

/// Puts what the two files say into a vocabulary that was read.
class tokenizer_config_reader {
public:
  tokenizer_config_reader(vocabulary& made, const config_source& config, const config_source& map)
      : made_(made), config_(config), map_(map) {
    for (std::size_t id = 0; id < made.tokens.size(); ++id)
      ids_.emplace(made.tokens[id], static_cast<token_id>(id));
    for (const scored_piece& each : made.pieces) ids_[each.text] = each.token;
    for (const added_token& each : made.added) ids_[text_of(each)] = each.id;
  }

  /// `from_table`: there is no tokenizer.json, which has added tokens and a template of its own.
  void read(bool from_table, const config_source& added) {
    if (from_table && config_.at("added_tokens_decoder").is_null()) {
      if (is_of_class({"T5"}) && made_.rules.model == token_model::unigram) add_extra_ids();
      read_added_file(added);
    }
    read_added_tokens();
    for (const config_source* source : {&config_, &map_}) {
      for (const char* key : named_) read_special(*source, key, source->at(key));
      for (const char* key : {"additional_special_tokens", "extra_special_tokens"})
        for (const json& each : source->at(key)) read_special(*source, key, each);
    }
    read_template(from_table);
    read_space();
    read_bert_settings();
  }

private:
  static constexpr std::array<const char*, 7> named_ = {"bos_token", "eos_token", "unk_token", "sep_token",
                                                        "pad_token", "cls_token", "mask_token"};

  std::string text_of(const added_token& each) const {
    return each.text.empty() ? made_.tokens[static_cast<std::size_t>(each.id)] : each.text;
  }

  void note(const std::string& what) {
    if (made_.note.empty()) made_.note = what;
  }

  added_token& added(token_id id, const std::string& text) {
    const auto known = std::find_if(made_.added.begin(), made_.added.end(),
                                    [&](const added_token& each) { return each.id == id; });
    if (known != made_.added.end()) return *known;
    made_.added.push_back({.id = id, .text = text});
    // What is special is made of no other text.
    const auto is_it = [&](const scored_piece& each) { return each.token == id; };
    std::erase_if(made_.pieces, is_it);
    std::erase_if(made_.inner_pieces, is_it);
    return made_.added.back();
  }

  void read_flags(const config_source& source, const json& token, added_token& flags) const {
    const auto read = [&](const char* key, bool otherwise) {
      return source.file.flag("added token " + quoted(flags.text) + ": ", token, key, otherwise);
    };
    flags.lstrip = read("lstrip", flags.lstrip);
    flags.rstrip = read("rstrip", flags.rstrip);
    flags.single_word = read("single_word", flags.single_word);
    flags.normalized = read("normalized", !flags.special) && !made_.rules.normalizers.empty();
  }

  void read_added_tokens() {
    const json& table = config_.at("added_tokens_decoder");
    if (table.is_null()) return;
    if (!table.is_object()) config_.file.refuse("added_tokens_decoder", table, "an object");
    std::map<std::size_t, const json*> by_id;
    for (const auto& [key, token] : table.items()) {
      const bool is_number = !key.empty() && key.size() < 10 &&
                             std::all_of(key.begin(), key.end(), [](char c) { return '0' <= c && c <= '9'; });
      if (!is_number) config_.file.refuse("added_tokens_decoder." + key, token, "whole numbers as keys");
      by_id[std::stoul(key)] = &token;
    }
    for (const auto& [id, token] : by_id) {
      const std::string where = "added_tokens_decoder." + std::to_string(id);
      const std::string& text = config_.file.text(where + ".", *token, "content");
      added_token& flags = place(config_.file.name() + ": " + where, id, text);
      flags.special = config_.file.flag(where + ".", *token, "special");
      flags.lstrip = flags.rstrip = flags.single_word = false;
      read_flags(config_, *token, flags);
    }
  }

  /// The added token of this id and text, a new one where they are. `where` begins messages.
  added_token& place(const std::string& where, std::size_t id, const std::string& text) {
    const auto fail = [&](const std::string& what) { throw tokenizer_error(where + ": " + what); };
    if (text.empty()) fail("a token is empty");
    const auto known = ids_.find(text);
    if (known != ids_.end() && static_cast<std::size_t>(known->second) != id)
      fail("token " + quoted(text) + " has id " + std::to_string(known->second) + " in the vocabulary");
    if (known == ids_.end() && id < made_.tokens.size())
      fail("id " + std::to_string(id) + " is " + quoted(made_.tokens[id]) + " in the vocabulary, not " +
           quoted(text));
    if (id > made_.tokens.size())
      fail("no token has id " + std::to_string(made_.tokens.size()) + ", but there is one behind it");
    if (id == made_.tokens.size()) {
      made_.tokens.push_back(made_.rules.model == token_model::word_pieces ? " " + text : text);
      ids_[text] = static_cast<token_id>(id);
    }
    added_token& flags = added(static_cast<token_id>(id), text);
    flags.text = text;
    return flags;
  }

  /// added_tokens.json of older versions. Beside the other two files its tokens are special where these name
  /// them; alone, all are.
  void read_added_file(const config_source& file) {
    std::map<std::size_t, std::string> by_id;
    for (const auto& [text, id] : file.root.items()) {
      if (!id.is_number_unsigned()) file.file.refuse(quoted(text), id, "a whole number");
      by_id[id.get<std::size_t>()] = text;
    }
    for (const auto& [id, text] : by_id)
      place(file.file.name(), id, text).special = config_.root.empty() && map_.root.empty();
  }

  /// The tokens that T5's tokenizer puts behind SentencePiece's, <extra_id_0> last.
  void add_extra_ids() {
    const json& count = config_.at("extra_ids");
    if (!count.is_null() && (!count.is_number_unsigned() || count.get<std::size_t>() > 100000))
      config_.file.refuse("extra_ids", count, "a whole number");
    for (std::size_t i = count.is_null() ? 100 : count.get<std::size_t>(); i-- > 0;) {
      const std::string text = "<extra_id_" + std::to_string(i) + ">";
      if (ids_.contains(text)) continue;
      added_token& flags = place(config_.file.name() + ": extra_ids", made_.tokens.size(), text);
      flags.lstrip = flags.rstrip = true;
    }
  }

  void read_special(const config_source& source, const std::string& key, const json& token) {
    if (token.is_null() || token == "" || token == false) return;
    const std::string text =
        token.is_string() ? token.get<std::string>() : source.file.text(key + ".", token, "content");
    const auto known = ids_.find(text);
    if (known == ids_.end())
      return note(source.file.name() + ": " + key + ": no token is " + quoted(text) + ": it is not added");
    const bool is_new = std::none_of(made_.added.begin(), made_.added.end(),
                                     [&](const added_token& each) { return each.id == known->second; });
    added_token& flags = added(known->second, text);
    flags.special = true;
    if (is_new && token.is_object()) read_flags(source, token, flags);
  }

  /// The id of a token that one of the files names.
  std::optional<token_id> id_of(const char* key) const {
    for (const config_source* source : {&config_, &map_}) {
      const auto text = source->token(key);
      if (!text) continue;
      const auto known = ids_.find(*text);
      if (known != ids_.end()) return known->second;
    }
    return std::nullopt;
  }

  bool is_of_class(std::initializer_list<const char*> names) const {
    const std::string own = config_.class_name();
    return std::any_of(names.begin(), names.end(),
                       [&](const char* each) { return own == std::string(each) + "Tokenizer"; });
  }

  /// The tokens around a prompt.
  void read_template(bool from_table) {
    const auto begins = config_.flag("add_bos_token"), ends = config_.flag("add_eos_token");
    const auto token = [&](const char* key) {
      const auto id = id_of(key);
      if (!id)
        throw tokenizer_error(config_.file.name() + ": add_" + std::string(key) +
                              " is true, but no token is the " + key);
      return *id;
    };
    const bool begins_by_class = is_of_class({"Llama", "CodeLlama", "Gemma"});
    const bool ends_by_class = is_of_class({"T5", "MT5"});
    if (begins || ends || (from_table && (begins_by_class || ends_by_class))) {
      made_.rules.before.clear();
      made_.rules.after.clear();
      made_.rules.pair.clear();
      made_.rules.single.clear();
      if (begins.value_or(begins_by_class)) made_.rules.before = {token("bos_token")};
      if (ends.value_or(ends_by_class)) made_.rules.after = {token("eos_token")};
    } else if (from_table && is_of_class({"Roberta", "Bart", "Longformer", "LED", "MVP", "Albert", "BigBird",
                                          "DebertaV2", "XLNet"})) {
      const auto begin = either("cls_token", {"<s>", "[CLS]"}), end = either("sep_token", {"</s>", "[SEP]"});
      const bool begins_behind = is_of_class({"XLNet"});
      made_.rules.before.clear();
      made_.rules.after.clear();
      if (begin && !begins_behind) made_.rules.before = {*begin};
      if (end) made_.rules.after = {*end};
      if (begin && begins_behind) made_.rules.after.push_back(*begin);
      std::vector<token_id> middle = made_.rules.after;
      const bool has_types = is_of_class({"Albert", "BigBird", "DebertaV2"});
      if (!has_types) middle.insert(middle.end(), made_.rules.after.begin(), made_.rules.after.end());
      made_.rules.pair.clear();
      made_.rules.single.clear();
      if (!begins_behind)
        made_.rules.pair = pair_template(made_.rules.before, middle, made_.rules.after, has_types ? 1 : 0);
    }
  }

  /// The token that the files name so, or the first of these texts that is one.
  std::optional<token_id> either(const char* key, std::initializer_list<const char*> otherwise) const {
    if (const auto named = id_of(key)) return named;
    for (const char* text : otherwise)
      if (const auto known = ids_.find(text); known != ids_.end()) return known->second;
    return std::nullopt;
  }

  void read_space() {
    const auto puts = config_.flag("add_prefix_space");
    if (!puts) return;
    text_rules& rules = made_.rules;
    const bool does = rules.prefix != space_prefix::none;
    if (*puts == does) return;
    const bool is_byte_level = rules.model == token_model::byte_pairs && !rules.by_characters;
    if (!is_byte_level && *puts)
      return note(config_.file.name() +
                  ": add_prefix_space is true, but the tokenizer puts no space: it counts");
    rules.prefix = *puts ? space_prefix::unless_there : space_prefix::none;
  }

  /// do_lower_case, tokenize_chinese_chars and strip_accents change what a tokenizer.json says.
  void read_bert_settings() {
    text_rules& rules = made_.rules;
    if (rules.model != token_model::word_pieces) return;
    const auto has = [&](normalizer step) {
      return std::find(rules.normalizers.begin(), rules.normalizers.end(), step) != rules.normalizers.end();
    };
    const bool lower = config_.flag("do_lower_case").value_or(has(normalizer::lower_case));
    const bool apart = config_.flag("tokenize_chinese_chars").value_or(has(normalizer::ideographs));
    const bool was_by_case = has(normalizer::accents) == has(normalizer::lower_case);
    const bool strips =
        config_.flag("strip_accents").value_or(was_by_case ? lower : has(normalizer::accents));
    const auto wanted = bert_normalizers({has(normalizer::clean), apart, strips, lower});
    const bool is_berts =
        rules.normalizers == bert_normalizers({has(normalizer::clean), has(normalizer::ideographs),
                                               has(normalizer::accents), has(normalizer::lower_case)});
    if (is_berts) rules.normalizers = wanted;
  }

  vocabulary& made_;
  const config_source &config_, &map_;
  std::unordered_map<std::string, token_id> ids_; // by what is looked for
};

} // namespace detail
} // namespace transept::inline TRANSEPT_ABI
