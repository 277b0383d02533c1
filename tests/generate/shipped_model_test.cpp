#include <transept/generate/generate_text.hpp>

#include <ranges>
#include <string>
#include <vector>

#include <support/allocation_count.hpp>
#include <support/catch.hpp>
#include <support/paths.hpp>
#include <support/shipped_model.hpp>
#include <transept/generate/session.hpp>
#include <transept/io/load_model.hpp>
#include <transept/io/load_tokenizer.hpp>
#include <transept/models/gpt2.hpp>

using namespace transept;
using ids = std::vector<token_id>;

namespace {

constexpr gpt2_config shakespeare{
    .n_embd = 256, .n_layer = 4, .n_head = 4, .vocab_size = 1024, .n_positions = 256};

const support::shipped_model_facts& shipped = support::shipped_facts();
const ids& romeo = shipped.prompt_ids;
const ids& romeo_goes_on = shipped.greedy_ids;

} // namespace

TEST_CASE("the shipped model continues ROMEO as PyTorch does") {
  const auto model = load<gpt2<shakespeare>>(support::shipped_model());
  session session(model);
  ids found;
  for (const token_id id : generate(model, session, romeo, greedy()) | std::views::take(romeo_goes_on.size()))
    found.push_back(id);
  CHECK(found == romeo_goes_on);
  CHECK(session.length() == romeo.size() + romeo_goes_on.size() - 1);
}

TEST_CASE("the shipped model streams text, up to a stop string") {
  const auto model = load<gpt2<shakespeare>>(support::shipped_model());
  const tokenizer words = load_tokenizer(support::shipped_model());
  session session(model);
  const std::span<const token_id> greedy_ids = romeo_goes_on;
  const std::string before = words.decode(greedy_ids.first(7)), stop = words.decode(greedy_ids.subspan(7, 2));
  REQUIRE(shipped.greedy_text.find(stop) == before.size()); // over two tokens, and not before them
  std::string streamed;
  const auto result = generate_text(model, session, words, shipped.prompt, greedy(),
                                    {.max_new_tokens = 100, .stop_strings = {stop}},
                                    [&](std::string_view piece) { streamed += piece; });
  CHECK(result.prompt_ids == romeo);
  CHECK(result.ids == shipped.first_greedy_ids(9));
  CHECK(result.text == before);
  CHECK(streamed == result.text);
  CHECK(result.finish_reason == finish_reason::stop_string);
}

TEST_CASE("decoding with the shipped model allocates nothing, in any thread, up to the full context") {
  if (!support::counts_allocations) return;
  const auto model = load<gpt2<shakespeare>>(support::shipped_model());
  const tokenizer words = load_tokenizer(support::shipped_model());
  for (const int threads : {1, 2, 4}) {
    session session(model, {.threads = threads});
    auto tokens = generate(model, session, romeo,
                           repetition_penalty(1.1) | temperature(0.9) | top_k(100) | top_p(0.95) |
                               min_p(0.01) | draw(1),
                           {.ignore_eos = true,
                            .stop_strings = {"never to be said"},
                            .tokenizer = &words,
                            .top_log_probabilities = 5});
    const support::allocation_count count;
    std::size_t length = 0;
    for (const generated_token& token : tokens) length += token.top.size() == 5;
    const long allocations = count.so_far();
    CHECK(allocations == 0);
    CHECK(length == 256 - romeo.size() + 1);
    CHECK(tokens.finish_reason() == finish_reason::context_full);
  }
}
