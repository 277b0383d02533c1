// What every part of a tokenizer.json's reader needs: keys, and the words for what is not supported.
#pragma once

#include <string>

#include <transept/core/display.hpp>
#include <transept/core/error.hpp>
#include <transept/core/json.hpp>

namespace transept::inline TRANSEPT_ABI {
namespace detail {

/// One tokenizer.json: every failure says which key, what it holds and what is supported.
class tokenizer_json_source {
public:
  explicit tokenizer_json_source(std::string name) : name_(std::move(name)) {}

  /// The file's name.
  const std::string& name() const { return name_; }

  [[noreturn]] void refuse(const std::string& key, const json& found, const std::string& supported) const {
    throw tokenizer_error(name_ + ": " + key + " is " + described(found) + "; supported: " + supported);
  }

  /// A member of an object; null where there is none.
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

  /// The text of a member that must be one.
  const std::string& text(const std::string& where, const json& object, const char* key) const {
    const json& found = member(object, key);
    if (!found.is_string()) refuse(where + key, found, "a string");
    return found.get_ref<const std::string&>();
  }

  /// Calls f(its key, each) for the members of a Sequence.
  template <class F>
  void for_each(const std::string& key, const json& sequence, const char* list, F&& f) const {
    const json& all = member(sequence, list);
    if (!all.is_array()) refuse(key + "." + list, all, "an array");
    for (std::size_t i = 0; i < all.size(); ++i) f(key + "." + list + "[" + std::to_string(i) + "]", all[i]);
  }

private:
  std::string name_;
};

} // namespace detail
} // namespace transept::inline TRANSEPT_ABI
