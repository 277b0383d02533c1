// What a tokenizer.json of Hugging Face's `tokenizers` may ask for and this library does: the byte-level BPE
// of GPT-2. Anything else that would change the tokens is an error here, so that nothing is silently ignored.
#pragma once

#include <initializer_list>
#include <string>

#include <transept/core/display.hpp>
#include <transept/core/error.hpp>
#include <transept/core/json.hpp>

namespace transept::inline TRANSEPT_ABI {
namespace detail {

/// One look at a tokenizer.json: every failure says which key, what it holds and what is supported.
class tokenizer_json_check {
public:
  explicit tokenizer_json_check(const std::string& source) : source_(source) {}

  void run(const json& root) const {
    if (!root.is_object()) refuse("the file", root, "an object");
    const json& model = member(root, "model");
    if (!model.is_object()) refuse("model", model, "an object");
    expect_type("model.type", model.contains("type") ? model["type"] : json("BPE"), "BPE");
    expect_absent("model.", model,
                  {"unk_token", "dropout", "continuing_subword_prefix", "end_of_word_suffix"});
    expect_false("model.", model, {"byte_fallback", "ignore_merges"});
    if (!member(model, "vocab").is_object()) refuse("model.vocab", model["vocab"], "an object");
    if (!member(model, "merges").is_array()) refuse("model.merges", model["merges"], "an array");

    expect_absent("", root, {"normalizer"});
    check_pre_tokenizer(member(root, "pre_tokenizer"));
    check_post_processor(member(root, "post_processor"));
    const json& decoder = member(root, "decoder");
    if (!decoder.is_null()) expect_type("decoder.type", member(decoder, "type"), "ByteLevel");
    check_added_tokens(member(root, "added_tokens"));
  }

private:
  [[noreturn]] void refuse(const std::string& key, const json& found, const std::string& supported) const {
    throw tokenizer_error(source_ + ": " + key + " is " + described(found) + "; supported: " + supported +
                          "\n  (only the byte-level BPE of GPT-2 is read from a tokenizer.json)");
  }

  static const json& member(const json& object, const char* key) {
    static const json null;
    if (!object.is_object()) return null;
    const auto found = object.find(key);
    return found == object.end() ? null : *found;
  }

  void expect_type(const std::string& key, const json& found, const char* supported) const {
    if (found != supported) refuse(key, found, json_literal(supported));
  }

  /// Keys that must be missing, null, "" or 0.
  void expect_absent(const std::string& where, const json& object,
                     std::initializer_list<const char*> keys) const {
    for (const char* key : keys) {
      const json& found = member(object, key);
      if (!found.is_null() && found != "" && found != 0) refuse(where + key, found, "null");
    }
  }

  /// Keys that must be missing, null or false.
  void expect_false(const std::string& where, const json& object,
                    std::initializer_list<const char*> keys) const {
    for (const char* key : keys) {
      const json& found = member(object, key);
      if (!found.is_null() && found != false) refuse(where + key, found, "false");
    }
  }

  void check_pre_tokenizer(const json& found) const {
    expect_type("pre_tokenizer.type", member(found, "type"), "ByteLevel");
    expect_false("pre_tokenizer.", found, {"add_prefix_space"});
    const json& pattern = member(found, "use_regex");
    if (!pattern.is_null() && pattern != true) refuse("pre_tokenizer.use_regex", pattern, "true");
    // Its default in `tokenizers` is true, so it must say that it is false.
    if (!found.contains("add_prefix_space")) refuse("pre_tokenizer.add_prefix_space", json(), "false");
  }

  /// ByteLevel as post-processor only trims offsets. A template may do nothing but repeat the text.
  void check_post_processor(const json& found) const {
    if (found.is_null() || member(found, "type") == "ByteLevel") return;
    expect_type("post_processor.type", member(found, "type"), "TemplateProcessing");
    const json& single = member(found, "single");
    const bool only_text =
        single.is_array() && single.size() == 1 && single[0].is_object() && single[0].contains("Sequence");
    if (!only_text) refuse("post_processor.single", single, "the text alone, with no token added to it");
  }

  void check_added_tokens(const json& found) const {
    if (found.is_null()) return;
    if (!found.is_array()) refuse("added_tokens", found, "an array");
    for (const json& token : found) {
      if (!member(token, "content").is_string())
        refuse("added_tokens[].content", member(token, "content"), "a string");
      const std::string where = "added token " + quoted(token["content"].get_ref<const std::string&>());
      if (!token.contains("id")) refuse(where + ": id", json(), "a whole number");
      expect_false(where + ": ", token, {"lstrip", "rstrip", "single_word"});
      const json& special = member(token, "special");
      if (!special.is_null() && !special.is_boolean()) refuse(where + ": special", special, "true or false");
    }
  }

  const std::string& source_;
};

} // namespace detail
} // namespace transept::inline TRANSEPT_ABI
