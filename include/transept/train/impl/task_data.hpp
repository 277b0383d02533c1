// How labelled texts are read and tokenized (train/task_data.hpp).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include <transept/core/display.hpp>
#include <transept/core/error.hpp>
#include <transept/core/json.hpp>
#include <transept/io/mapped_file.hpp>
#include <transept/text/encoded_text.hpp>
#include <transept/text/unicode.hpp>
#include <transept/train/task_data.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

/// A line of a file of JSON lines, and the words for one that is wrong.
class json_line {
public:
  json_line(std::string_view text, const std::string& file, std::size_t number)
      : source_(file + ", line " + std::to_string(number)), root_(parse_json(text, source_)) {
    if (!root_.is_object()) fail("expected an object, found " + described(root_));
  }

  [[noreturn]] void fail(const std::string& what) const { throw format_error(source_ + ": " + what); }

  const json* find(const char* key) const {
    const auto place = root_.find(key);
    return place == root_.end() || place->is_null() ? nullptr : &*place;
  }

  std::string text(const char* key, bool is_optional = false) const {
    const json* const found = find(key);
    if (found == nullptr && is_optional) return {};
    if (found == nullptr) fail("expected a text called " + quoted(key));
    if (!found->is_string()) fail(quoted(key) + ": expected a text, found " + described(*found));
    return found->get<std::string>();
  }

  std::vector<std::string> texts(const char* key) const {
    const json* const found = find(key);
    if (found == nullptr || !found->is_array()) fail("expected a list of texts called " + quoted(key));
    std::vector<std::string> all;
    for (const json& each : *found) {
      if (!each.is_string()) fail(quoted(key) + ": expected texts, found " + described(each));
      all.push_back(each.get<std::string>());
    }
    return all;
  }

private:
  std::string source_;
  json root_;
};

/// Throws argument_error for a head that labelled texts are not for.
inline void check_task_head(encoder_head head) {
  using enum encoder_head;
  if (head != sequence_classification && head != token_classification && head != question_answering)
    throw argument_error("labelled texts are for heads that classify texts or tokens, or answer questions");
}

/// Calls f(json_line) for each line that is not empty.
template <class F>
void for_each_json_line(const std::filesystem::path& path, F&& f) {
  const mapped_file file(path);
  const std::string_view text = file.text();
  std::size_t number = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = text.substr(begin, end - begin);
    ++number;
    if (line.find_first_not_of(" \t\r") != line.npos) f(json_line(line, path.string(), number));
    begin = end + 1;
  }
}

/// The bytes of the first `count` characters.
inline std::size_t bytes_of_characters(std::string_view text, std::size_t count) {
  std::size_t at = 0;
  for (; count > 0 && at < text.size(); --count) at += first_character(text.substr(at)).length;
  return at;
}

/// Where the answer of a line is in its context, in bytes.
inline text_span answer_span(const json_line& line, std::string_view context) {
  const json *answer = line.find("answer"), *begin = line.find("begin");
  if (const json* const all = line.find("answers")) { // SQuAD's
    const auto first = [&](const char* key) -> const json* {
      if (!all->is_object() || !all->contains(key) || !all->at(key).is_array() || all->at(key).empty())
        line.fail("\"answers\": expected an object with \"text\" and \"answer_start\", two lists");
      return &all->at(key).front();
    };
    answer = first("text");
    begin = first("answer_start");
  }
  if (answer == nullptr || begin == nullptr || !answer->is_string() || !begin->is_number_unsigned())
    line.fail("expected \"answer\", a text, and \"begin\", at which character of \"context\" it begins");
  const auto& words = answer->get_ref<const std::string&>();
  const std::size_t at = bytes_of_characters(context, begin->get<std::size_t>());
  if (words.empty() || context.substr(at, words.size()) != words)
    line.fail("the context has no " + quoted(words) + " at character " +
              std::to_string(begin->get<std::uint64_t>()));
  return {at, at + words.size()};
}

/// The label's place among labels.
inline int place_of(const json_line& line, const std::string& label, const std::vector<std::string>& labels) {
  const auto place = std::ranges::find(labels, label);
  if (place == labels.end()) line.fail("the label " + quoted(label) + " is none of the model's");
  return static_cast<int>(place - labels.begin());
}

/// A label that is text, or a whole number, true or false as text.
inline std::string label_text(const json_line& line) {
  const json* const label = line.find("label");
  if (label == nullptr) line.fail("expected a \"label\"");
  if (label->is_string()) return label->get<std::string>();
  if (label->is_number_integer() || label->is_boolean()) return label->dump();
  line.fail("\"label\": expected a text or a whole number, found " + described(*label));
}

} // namespace detail

TRANSEPT_FUNCTION void task_batch::clear() {
  texts.clear();
  labels.clear();
  values.clear();
  begins.clear();
  ends.clear();
  contexts.clear();
}

TRANSEPT_FUNCTION task_labels read_labels(std::span<const std::filesystem::path> paths, encoder_head head) {
  using enum encoder_head;
  detail::check_task_head(head);
  if (head == question_answering) return {};
  std::set<std::string> seen;
  bool are_numbers = false;
  for (const auto& path : paths)
    detail::for_each_json_line(path, [&](const detail::json_line& line) {
      if (head == token_classification) {
        for (std::string& tag : line.texts("tags")) seen.insert(std::move(tag));
        return;
      }
      const json* const label = line.find("label");
      are_numbers = are_numbers || (label != nullptr && label->is_number_float());
      if (!are_numbers) seen.insert(detail::label_text(line));
    });
  if (are_numbers) return {{"LABEL_0"}, true};
  return {{seen.begin(), seen.end()}};
}

TRANSEPT_FUNCTION task_data::task_data(const std::filesystem::path& path, encoder_head head,
                                       const tokenizer& tokenizer, std::size_t most_tokens,
                                       task_labels labels)
    : head_(head), labels_(std::move(labels)) {
  using enum encoder_head;
  detail::check_task_head(head);
  if (labels_.are_numbers)
    labels_.names.resize(1, "LABEL_0");
  else if (labels_.names.empty())
    labels_ = read_labels({&path, 1}, head);
  const input_options options{.most_tokens = most_tokens};
  const auto encoded = [](const detail::json_line& line, auto&& encode) {
    try {
      return encode();
    } catch (const error& problem) {
      line.fail(problem.what());
    }
  };
  detail::for_each_json_line(path, [&](const detail::json_line& line) {
    read_example made;
    encoded_input input;
    if (head == sequence_classification) {
      const std::string text = line.text("text"), second = line.text("second", true);
      input = encoded(line, [&] {
        return second.empty() ? encode_input(tokenizer, text, options)
                              : encode_input(tokenizer, text, second, options);
      });
      if (labels_.are_numbers) {
        const json* const value = line.find("label");
        const double number = value != nullptr && value->is_number() ? value->get<double>() : std::nan("");
        if (!(std::abs(number) <= std::numeric_limits<float>::max()))
          line.fail("\"label\": expected a number, as on other lines, that f32 holds");
        made.value = static_cast<float>(number);
      } else {
        made.labels = {detail::place_of(line, detail::label_text(line), labels_.names)};
      }
    } else if (head == token_classification) {
      const auto words = line.texts("tokens"), tags = line.texts("tags");
      if (words.size() != tags.size())
        line.fail(std::to_string(words.size()) + " tokens, but " + std::to_string(tags.size()) + " tags");
      std::string text; // words with spaces between; where each begins
      std::vector<std::size_t> begins;
      for (const std::string& word : words) {
        if (!text.empty()) text += ' ';
        begins.push_back(text.size());
        text += word;
      }
      input = encoded(line, [&] { return encode_input(tokenizer, text, options); });
      made.labels.assign(input.ids.size(), no_target);
      std::size_t word = 0; // the next without a token
      for (std::size_t i = 0; i < input.ids.size() && word < words.size(); ++i) {
        if (input.texts[i] < 0 || input.spans[i].end <= begins[word]) continue;
        while (word + 1 < words.size() && input.spans[i].begin >= begins[word + 1])
          ++word; // one without tokens
        made.labels[i] = detail::place_of(line, tags[word++], labels_.names);
      }
    } else {
      const std::string question = line.text("question"), context = line.text("context");
      const text_span span = detail::answer_span(line, context);
      input = encoded(line, [&] {
        return encode_input(tokenizer, question, context,
                            {.most_tokens = most_tokens, .left_out = truncation::second_text});
      });
      for (std::size_t i = 0; i < input.ids.size(); ++i) {
        if (input.texts[i] != 1) continue;
        if (made.context.end == 0) made.context.begin = i;
        made.context.end = i + 1;
        if (input.spans[i].end <= span.begin || input.spans[i].begin >= span.end) continue;
        if (made.begin < 0) made.begin = static_cast<int>(i);
        made.end = static_cast<int>(i);
      }
    }
    if (input.ids.empty()) line.fail("a text without tokens");
    made.ids = std::move(input.ids);
    made.types = std::move(input.token_types);
    examples_.push_back(std::move(made));
  });
}

TRANSEPT_FUNCTION void task_data::add_to(task_batch& batch, std::size_t example) const {
  const auto& from = examples_[example];
  batch.texts.add(from.ids, from.types);
  if (labels_.are_numbers) batch.values.push_back(from.value);
  batch.labels.insert(batch.labels.end(), from.labels.begin(), from.labels.end());
  if (head_ != encoder_head::question_answering) return;
  batch.begins.push_back(from.begin);
  batch.ends.push_back(from.end);
  batch.contexts.push_back(from.context);
}

} // namespace transept::inline TRANSEPT_ABI
