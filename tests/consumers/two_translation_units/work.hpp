// The same work for each translation unit: a model from a folder to text. In an unnamed namespace: a shared
// inline function would break the one-definition rule by itself.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include <transept/generate/session.hpp>
#include <transept/io/load_model.hpp>
#include <transept/io/load_tokenizer.hpp>
#include <transept_configs/shipped_shape.hpp>

namespace {

/// The prompt and the ten likeliest tokens after it.
std::string work(const std::string& folder) {
  const auto model = transept::load<transept::gpt2<shipped_shape>>(folder);
  const auto tokenizer = transept::load_tokenizer(folder);
  transept::session session(model, {.threads = 2});
  std::vector<transept::token_id> ids = tokenizer.encode("ROMEO:\nWhat");
  std::span<const transept::token_id> fed = ids;
  for (int step = 0; step < 10; ++step) {
    const auto logits = forward(model, session, fed);
    ids.push_back(static_cast<transept::token_id>(std::ranges::max_element(logits) - logits.begin()));
    fed = std::span(ids).last(1);
  }
  return tokenizer.decode(ids);
}

} // namespace

std::string work_for_any_machine(const std::string& folder);
std::string work_for_avx2(const std::string& folder);
