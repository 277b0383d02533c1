// What lies between texts and an encoder's numbers (encode/text_tasks.hpp).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>

#include <transept/core/display.hpp>
#include <transept/core/error.hpp>
#include <transept/encode/text_tasks.hpp>
#include <transept/text/encoder_vocabulary.hpp>
#include <transept/text/unicode.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

TRANSEPT_FUNCTION void check_head(encoder_head has, encoder_head needed, const char* what) {
  if (has == needed) return;
  const auto name = [](encoder_head head) {
    for (const named_encoder_head& each : encoder_head_names)
      if (each.head == head) return std::string(each.suffix);
    return std::string("ForPreTraining");
  };
  throw argument_error(
      std::string(what) + " needs a model whose architecture ends with " + name(needed) +
      (has == encoder_head::none ? "; this one has no head" : "; this one's ends with " + name(has)));
}

inline std::string too_long(std::size_t tokens, std::size_t most_tokens) {
  return "the text has " + std::to_string(tokens) + " tokens, and the model takes " +
         std::to_string(most_tokens) + " at most: divide it";
}

// ---- Words ------------------------------------------------------------------------------------------------

TRANSEPT_FUNCTION masked_text masked_tokens(const tokenizer& tokenizer, std::string_view text,
                                            std::size_t most_tokens) {
  const auto mask = mask_token(tokenizer);
  if (!mask) throw argument_error("this vocabulary has no token that masks a word ([MASK], <mask>)");
  const encoded_input input = encode_input(tokenizer, text, {.allows_special = true});
  if (input.ids.size() > most_tokens) throw context_error(too_long(input.ids.size(), most_tokens));
  masked_text result;
  for (std::size_t i = 0; i < input.ids.size(); ++i)
    if (input.ids[i] == *mask) result.places.push_back(i);
  if (result.places.empty())
    throw argument_error("nothing is masked: write " + std::string(special_token_text(tokenizer, *mask)) +
                         " where a word is to be filled in");
  result.texts.add(input.ids, input.token_types);
  return result;
}

TRANSEPT_FUNCTION std::vector<scored_word> likeliest(std::span<const float> logits, std::size_t top) {
  const float greatest = *std::ranges::max_element(logits);
  double sum = 0;
  for (const float logit : logits) sum += std::exp(double{logit} - greatest);
  std::vector<scored_word> words(logits.size());
  for (std::size_t i = 0; i < logits.size(); ++i)
    words[i] = {static_cast<token_id>(i), static_cast<float>(std::exp(double{logits[i]} - greatest) / sum)};
  const auto end = words.begin() + static_cast<std::ptrdiff_t>(std::min(top, words.size()));
  std::partial_sort(words.begin(), end, words.end(), [&](const scored_word& a, const scored_word& b) {
    const float x = logits[static_cast<std::size_t>(a.id)], y = logits[static_cast<std::size_t>(b.id)];
    return x != y ? x > y : a.id < b.id;
  });
  words.erase(end, words.end());
  return words;
}

TRANSEPT_FUNCTION void softmax_rows(array<2>& scores) {
  for (std::size_t row = 0; row < scores.shape(0); ++row) {
    const std::span all(&scores(row, 0), scores.shape(1));
    const float greatest = *std::ranges::max_element(all);
    double sum = 0;
    for (const float score : all) sum += std::exp(double{score} - greatest);
    for (float& score : all) score = static_cast<float>(std::exp(double{score} - greatest) / sum);
  }
}

// ---- Texts ------------------------------------------------------------------------------------------------

TRANSEPT_FUNCTION text_batch tokens_of_texts(const tokenizer& tokenizer, std::span<const std::string> texts,
                                             std::span<const std::string> seconds, std::size_t most_tokens) {
  if (!seconds.empty() && seconds.size() != texts.size())
    throw argument_error("there must be as many second texts as first ones, " + std::to_string(texts.size()) +
                         "; got " + std::to_string(seconds.size()));
  const input_options options{.most_tokens = most_tokens};
  text_batch batch;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const encoded_input input = seconds.empty() ? encode_input(tokenizer, texts[i], options)
                                                : encode_input(tokenizer, texts[i], seconds[i], options);
    if (input.ids.empty()) throw argument_error("text " + std::to_string(i) + " has no tokens");
    batch.add(input.ids, input.token_types);
  }
  return batch;
}

TRANSEPT_FUNCTION void to_probabilities(array<2>& scores, std::string_view problem_type) {
  if (problem_type == "regression") return;
  if (problem_type == "multi_label_classification" || scores.shape(1) == 1)
    for (float& score : scores) score = static_cast<float>(1 / (1 + std::exp(-double{score})));
  else
    softmax_rows(scores);
}

// ---- Words of a text --------------------------------------------------------------------------------------

TRANSEPT_FUNCTION words_of_text words_of(const tokenizer& tokenizer, std::string_view text,
                                         std::size_t most_tokens) {
  words_of_text words{.input = encode_input(tokenizer, text), .first_tokens = {}, .spans = {}};
  const encoded_input& input = words.input;
  if (input.ids.size() > most_tokens) throw context_error(too_long(input.ids.size(), most_tokens));
  const auto is_of_word = [&](std::size_t at) { // a letter, digit or mark begins there
    const std::uint32_t c = first_character(text.substr(at)).code_point;
    return class_of(c) == character_class::letter || class_of(c) == character_class::number ||
           kind_of(c) == character_kind::mark;
  };
  std::size_t last_end = 0;  // of the last token
  bool last_is_word = false; // it ended with a letter or the like
  for (std::size_t i = 0; i < input.ids.size(); ++i) {
    text_span span = input.spans[i];
    if (input.texts[i] < 0) continue;
    while (span.begin < span.end) { // its space
      const character c = first_character(text.substr(span.begin));
      if (class_of(c.code_point) != character_class::space) break;
      span.begin += c.length;
    }
    if (span.begin == span.end) continue;
    const bool is_first_piece =
        tokenizer.rules().model == token_model::word_pieces && tokenizer.bytes(input.ids[i]).starts_with(' ');
    const bool goes_on = last_is_word && span.begin <= last_end && is_of_word(span.begin) && !is_first_piece;
    if (goes_on) {
      words.spans.back().end = span.end;
    } else {
      words.first_tokens.push_back(i);
      words.spans.push_back(span);
    }
    last_end = span.end;
    last_is_word =
        is_of_word(span.begin + start_of_last_character(text.substr(span.begin, span.end - span.begin)));
  }
  return words;
}

TRANSEPT_FUNCTION std::vector<tagged_word> tagged_words(const words_of_text& words, const array<2>& logits) {
  std::vector<tagged_word> result;
  for (std::size_t w = 0; w < words.spans.size(); ++w) {
    const auto best = likeliest(std::span(&logits(words.first_tokens[w], 0), logits.shape(1)), 1).front();
    result.push_back({words.spans[w], static_cast<std::size_t>(best.id), best.probability});
  }
  return result;
}

} // namespace detail

TRANSEPT_FUNCTION std::vector<tagged_entity> find_entities(std::span<const tagged_word> words,
                                                           std::span<const std::string> labels) {
  std::vector<tagged_entity> entities;
  std::size_t count = 0; // words of the last one
  bool is_open = false;
  for (const tagged_word& word : words) {
    if (word.label >= labels.size())
      throw argument_error("a word has label " + std::to_string(word.label) + ", but there are " +
                           std::to_string(labels.size()));
    const std::string& label = labels[word.label];
    const bool is_first = label.starts_with("B-"), is_inside = label.starts_with("I-");
    const std::string kind = is_first || is_inside ? label.substr(2) : label;
    if (kind == "O") {
      is_open = false;
    } else if (is_open && !is_first && entities.back().label == kind) {
      tagged_entity& last = entities.back();
      last.span.end = word.span.end;
      last.probability += (word.probability - last.probability) / static_cast<float>(++count);
    } else {
      entities.push_back({word.span, kind, word.probability});
      is_open = true;
      count = 1;
    }
  }
  return entities;
}

// ---- Answers ----------------------------------------------------------------------------------------------

namespace detail {

TRANSEPT_FUNCTION question_parts parts_of_question(const tokenizer& tokenizer, std::string_view question,
                                                   std::string_view text, std::size_t most_tokens,
                                                   std::size_t stride) {
  const encoded_input all = encode_input(tokenizer, question, text);
  std::size_t begin = 0; // the text's tokens
  while (begin < all.ids.size() && all.texts[begin] != 1) ++begin;
  std::size_t end = all.ids.size();
  while (end > begin && all.texts[end - 1] != 1) --end;
  if (begin == end) throw argument_error("there is no text in which an answer could be");
  const std::size_t around = all.ids.size() - (end - begin);
  if (around >= most_tokens)
    throw argument_error("the question leaves no room for a text: with it are " + std::to_string(around) +
                         " of the " + std::to_string(most_tokens) + " tokens that the model takes");
  const std::size_t room = most_tokens - around, step = room > stride ? room - stride : (room + 1) / 2;
  question_parts parts;
  for (std::size_t first = begin;; first += step) {
    const std::size_t last = std::min(first + room, end);
    encoded_input part;
    const auto take = [&](std::size_t from, std::size_t to) {
      for (std::size_t i = from; i < to; ++i) {
        part.ids.push_back(all.ids[i]);
        part.token_types.push_back(all.token_types[i]);
        part.texts.push_back(all.texts[i]);
        part.spans.push_back(all.spans[i]);
      }
    };
    take(0, begin);
    take(first, last);
    take(end, all.ids.size());
    parts.texts.add(part.ids, part.token_types);
    parts.inputs.push_back(std::move(part));
    if (last == end) return parts;
  }
}

TRANSEPT_FUNCTION text_span whole_words(std::string_view text, text_span span) {
  const auto class_at = [&](std::size_t at) { return class_of(first_character(text.substr(at)).code_point); };
  const auto before = [&](std::size_t at) { return start_of_last_character(text.substr(0, at)); };
  const auto is_of_word = [&](std::size_t at) {
    const auto c = class_at(at);
    return c == character_class::letter || c == character_class::number ||
           kind_of(first_character(text.substr(at)).code_point) == character_kind::mark;
  };
  while (span.begin < span.end && class_at(span.begin) == character_class::space)
    span.begin += first_character(text.substr(span.begin)).length;
  while (span.begin < span.end && class_at(before(span.end)) == character_class::space)
    span.end = before(span.end);
  if (span.begin == span.end) return span;
  while (span.begin > 0 && is_of_word(span.begin) && is_of_word(before(span.begin)))
    span.begin = before(span.begin);
  while (span.end < text.size() && is_of_word(span.end) && is_of_word(before(span.end)))
    span.end += first_character(text.substr(span.end)).length;
  return span;
}

TRANSEPT_FUNCTION std::vector<scored_answer> best_answers(const question_parts& parts, std::string_view text,
                                                          const array<2>& logits,
                                                          const answer_options& options) {
  if (options.top == 0 || options.most_tokens == 0)
    throw argument_error("answer: `top` and `most_tokens` must be at least 1");
  std::vector<scored_answer> all;
  std::size_t row = 0;
  for (const encoded_input& part : parts.inputs) {
    std::vector<std::size_t> places; // tokens of the text, behind [CLS], which stands for no answer
    for (std::size_t i = 0; i < part.ids.size(); ++i)
      if (part.texts[i] == 1 || (i == 0 && part.texts[i] < 0)) places.push_back(i);
    array<2> ends = make_array<2>({2, places.size()}); // begins, ends here
    for (std::size_t i = 0; i < places.size(); ++i)
      for (std::size_t which = 0; which < 2; ++which) ends(which, i) = logits(row + places[i], which);
    softmax_rows(ends);
    for (std::size_t i = 0; i < places.size(); ++i) {
      if (part.texts[places[i]] != 1) continue;
      for (std::size_t j = i; j - i < std::min(options.most_tokens, places.size() - i); ++j) {
        const text_span span = whole_words(text, {part.spans[places[i]].begin, part.spans[places[j]].end});
        if (span.begin < span.end) all.push_back({span, ends(0, i) * ends(1, j)});
      }
    }
    row += part.ids.size();
  }
  std::ranges::stable_sort(
      all, [](const scored_answer& a, const scored_answer& b) { return a.probability > b.probability; });
  std::vector<scored_answer> best;
  for (const scored_answer& each : all) {
    if (best.size() == options.top) break;
    const bool overlaps = std::ranges::any_of(best, [&](const scored_answer& other) {
      return each.span.begin < other.span.end && other.span.begin < each.span.end;
    });
    if (!overlaps) best.push_back(each);
  }
  return best;
}

} // namespace detail

} // namespace transept::inline TRANSEPT_ABI
