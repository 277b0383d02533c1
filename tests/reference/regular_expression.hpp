// Regular expressions as tokenizers' patterns are written (Oniguruma's), by backtracking, as their definition
// reads: alternatives in order, quantifiers greedy. Slow, and meant to be obviously right.
//
//   a|b  (…)  (?i:…)  (?!…)  x? x+ x* x{m,n}  [a-z] [^…] [a[bc]]  \p{L} \p{M} \p{N} \p{P} \p{S}  \s \S \r \n
//   \x
#pragma once

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <transept/text/unicode.hpp>

namespace reference {

class regular_expression {
  using position = std::size_t;
  using then = std::function<bool(position)>; // what must match behind
  using matcher = std::function<bool(const std::vector<transept::character>&, position, const then&)>;
  using predicate = std::function<bool(std::uint32_t)>;

public:
  explicit regular_expression(std::string_view pattern) {
    for (; !pattern.empty(); pattern.remove_prefix(transept::first_character(pattern).length))
      pattern_.push_back(transept::first_character(pattern).code_point);
    root_ = alternatives();
    if (at_ != pattern_.size()) throw std::logic_error("regular_expression: a ) too many");
  }

  /// How many bytes it matches at text[start]; npos where it does not match there.
  std::size_t match(std::string_view text, std::size_t start) const {
    std::vector<transept::character> characters;
    for (auto rest = text.substr(start); !rest.empty(); rest.remove_prefix(characters.back().length))
      characters.push_back(transept::first_character(rest));
    std::size_t length = std::string_view::npos;
    root_(characters, 0, [&](position end) {
      length = 0;
      for (position i = 0; i < end; ++i) length += characters[i].length;
      return true;
    });
    return length;
  }

private:
  bool ends() const { return at_ == pattern_.size(); }
  bool take(std::string_view ascii) {
    for (std::size_t i = 0; i < ascii.size(); ++i)
      if (at_ + i >= pattern_.size() || pattern_[at_ + i] != static_cast<unsigned char>(ascii[i]))
        return false;
    at_ += ascii.size();
    return true;
  }

  matcher alternatives() {
    std::vector<matcher> each{sequence()};
    while (take("|")) each.push_back(sequence());
    return [each](const auto& text, position at, const then& next) {
      for (const matcher& one : each)
        if (one(text, at, next)) return true;
      return false;
    };
  }

  matcher sequence() {
    matcher all = [](const auto&, position at, const then& next) { return next(at); };
    while (!ends() && pattern_[at_] != '|' && pattern_[at_] != ')') {
      all = [first = all, second = quantified()](const auto& text, position at, const then& next) {
        return first(text, at, [&](position middle) { return second(text, middle, next); });
      };
    }
    return all;
  }

  matcher quantified() {
    const matcher one = atom();
    std::size_t least = 1, most = 1;
    constexpr std::size_t any = 1u << 20;
    if (take("?"))
      least = 0;
    else if (take("*"))
      least = 0, most = any;
    else if (take("+"))
      most = any;
    else if (take("{")) {
      least = number();
      if (!take(",")) throw std::logic_error("regular_expression: {m,n} is meant");
      most = number();
      take("}");
    }
    if (least == 1 && most == 1) return one;
    return [one, least, most](const auto& text, position at, const then& next) {
      const std::function<bool(position, std::size_t)> go_on = [&](position from, std::size_t count) {
        if (count < most && one(text, from, [&](position to) { return to != from && go_on(to, count + 1); }))
          return true;
        return count >= least && next(from);
      };
      return go_on(at, 0);
    };
  }

  std::size_t number() {
    std::size_t value = 0;
    while (!ends() && pattern_[at_] >= '0' && pattern_[at_] <= '9')
      value = value * 10 + (pattern_[at_++] - '0');
    return value;
  }

  matcher atom() {
    if (take("(?!")) {
      const matcher inner = alternatives();
      take(")");
      return [inner](const auto& text, position at, const then& next) {
        return !inner(text, at, [](position) { return true; }) && next(at);
      };
    }
    if (take("(?i:") || take("(")) {
      const bool before = any_case_;
      any_case_ = pattern_[at_ - 1] == ':';
      const matcher inner = alternatives();
      any_case_ = before;
      take(")");
      return inner;
    }
    const predicate fits = take("[") ? set() : single();
    return [fits](const auto& text, position at, const then& next) {
      return at < text.size() && fits(text[at].code_point) && next(at + 1);
    };
  }

  /// Behind its [.
  predicate set() {
    const bool negated = take("^");
    std::vector<predicate> any;
    while (!take("]")) {
      if (take("[")) {
        any.push_back(set());
        continue;
      }
      const std::size_t begin = at_;
      const predicate one = single();
      if (at_ + 1 < pattern_.size() && pattern_[at_] == '-' && pattern_[at_ + 1] != ']') {
        const std::uint32_t first = pattern_[at_ - 1];
        static_cast<void>(begin);
        ++at_;
        if (pattern_[at_] == '\\') ++at_;
        const std::uint32_t last = pattern_[at_++];
        any.push_back([first, last](std::uint32_t c) { return first <= c && c <= last; });
      } else {
        any.push_back(one);
      }
    }
    return [negated, any](std::uint32_t c) {
      for (const predicate& one : any)
        if (one(c)) return !negated;
      return negated;
    };
  }

  predicate single() {
    using transept::character_class, transept::character_kind;
    const std::uint32_t c = pattern_[at_++];
    if (c != '\\') {
      if (!any_case_) return [c](std::uint32_t other) { return other == c; };
      return [c](std::uint32_t other) { // ſ is an s, U+212A a k
        const std::uint32_t lower = other >= 'A' && other <= 'Z' ? other + 32 : other;
        return lower == c || (c == 's' && other == 0x17f) || (c == 'k' && other == 0x212a);
      };
    }
    const std::uint32_t escaped = pattern_[at_++];
    const auto is_space = [](std::uint32_t other) {
      return transept::class_of(other) == character_class::space;
    };
    switch (escaped) {
    case 's':
      return is_space;
    case 'S':
      return [is_space](std::uint32_t other) { return !is_space(other); };
    case 'r':
      return [](std::uint32_t other) { return other == '\r'; };
    case 'n':
      return [](std::uint32_t other) { return other == '\n'; };
    case 'p': {
      take("{");
      const std::uint32_t name = pattern_[at_++];
      take("}");
      return [name](std::uint32_t other) {
        const auto kind = transept::kind_of(other);
        return name == 'L'   ? transept::class_of(other) == character_class::letter
               : name == 'N' ? transept::class_of(other) == character_class::number
               : name == 'M' ? kind == character_kind::mark
               : name == 'P' ? kind == character_kind::punctuation
                             : kind == character_kind::symbol;
      };
    }
    default:
      return [escaped](std::uint32_t other) { return other == escaped; };
    }
  }

  std::vector<std::uint32_t> pattern_;
  std::size_t at_ = 0;
  bool any_case_ = false;
  matcher root_;
};

} // namespace reference
