// The task "masked": some tokens of a text are hidden, and told from those around them; with --next-sentence
// also whether the second half of a text follows its first.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <training/data.hpp>
#include <training/encoder_of_run.hpp>
#include <training/task.hpp>

#include <transept/core/error.hpp>
#include <transept/core/random.hpp>
#include <transept/encode/encoder_session.hpp>
#include <transept/text/encoder_vocabulary.hpp>
#include <transept/train/batches.hpp>
#include <transept/train/loss.hpp>
#include <transept/train/masked_words.hpp>

namespace examples {
namespace {

using transept::pair_part, transept::token_id;

/// Texts with masked words, and what was there.
struct masked_batch {
  transept::text_batch texts;
  std::vector<token_id> words;
  std::vector<int> follows; ///< of each text: 0, or 1 where its second half does not follow its first

  std::size_t masked() const { return transept::count_targets(words); }
  transept::encoder_targets targets() const { return {.words = words, .labels = follows}; }
};

/// What is put around a text, or around and between two.
std::vector<pair_part> parts_of(const training_settings& s, const transept::tokenizer& tokenizer) {
  const transept::text_rules& rules = tokenizer.rules();
  if (!s.next_sentence) return transept::pair_template(rules.before, {}, rules.after, 0);
  if (rules.pair.empty())
    throw transept::argument_error(
        "--next-sentence: this vocabulary does not say how two texts stand together");
  return rules.pair;
}

/// Makes batches of a token file.
class masked_batches {
public:
  masked_batches(const training_settings& s, const transept::tokenizer& tokenizer,
                 const transept::token_file& file)
      : s_(s),
        tokenizer_(tokenizer),
        parts_(parts_of(s, tokenizer)),
        window_(text_tokens(s, parts_)),
        other_(window_),
        unused_(window_),
        windows_(file, {0, file.size()}, window_.size(), s.seed),
        masking_{.mask = mask_of(tokenizer, "--task masked"),
                 .vocab_size = static_cast<int>(tokenizer.vocabulary_size()),
                 .seed = s.seed} {}

  const masked_batch& fill(std::size_t number) {
    batch_.texts.clear();
    batch_.words.clear();
    batch_.follows.clear();
    for (std::size_t row = 0; row < s_.batch; ++row) add(number * s_.batch + row);
    for (std::size_t i = 0; batch_.masked() == 0 && i < batch_.words.size(); ++i) mask_one(i); // few, short
    return batch_;
  }

  /// Of every text, with what is put there.
  std::size_t length() const {
    return window_.size() + static_cast<std::size_t>(std::ranges::count(parts_, token, &pair_part::kind));
  }

private:
  static constexpr auto token = pair_part::part_kind::token;

  /// Tokens of text that fit into a sequence: both halves together.
  static std::size_t text_tokens(const training_settings& s, const std::vector<pair_part>& parts) {
    const auto put = static_cast<std::size_t>(std::ranges::count(parts, token, &pair_part::kind));
    if (s.context < put + 2)
      throw transept::argument_error("--context " + std::to_string(s.context) + " leaves no room for a text");
    const std::size_t room = s.context - put;
    return s.next_sentence ? room / 2 * 2 : room;
  }

  /// Masks token `i`, where it is no special one.
  void mask_one(std::size_t i) {
    const token_id word = batch_.texts.input().tokens[i];
    if (!tokenizer_.is_special(word)) batch_.words[i] = word;
  }

  void add(std::uint64_t number) {
    windows_.fill(2 * number, window_, unused_);
    std::span<const token_id> first = window_, second;
    if (s_.next_sentence) {
      const std::size_t half = window_.size() / 2;
      const bool follows = transept::random_stream(s_.seed ^ 0x6e657874, number).uniform() < 0.5f; // "next"
      windows_.fill(2 * number + 1, other_, unused_);
      first = std::span(window_).first(half);
      second = std::span(follows ? window_ : other_).last(half);
      batch_.follows.push_back(follows ? 0 : 1);
    }
    ids_.clear();
    types_.clear();
    for (const pair_part& part : parts_) {
      const auto ids = part.kind == token                              ? std::span(&part.token, 1)
                       : part.kind == pair_part::part_kind::first_text ? first
                                                                       : second;
      ids_.insert(ids_.end(), ids.begin(), ids.end());
      types_.resize(ids_.size(), part.type);
    }
    words_.resize(ids_.size());
    mask_words(ids_, words_, masking_, number, [&](token_id id) { return tokenizer_.is_special(id); });
    batch_.texts.add(ids_, types_);
    batch_.words.insert(batch_.words.end(), words_.begin(), words_.end());
  }

  const training_settings& s_;
  const transept::tokenizer& tokenizer_;
  std::vector<pair_part> parts_;
  std::vector<token_id> window_, other_, unused_, ids_, words_;
  std::vector<int> types_;
  transept::random_windows windows_;
  transept::masking_options masking_;
  masked_batch batch_;
};

/// The head that learns it.
transept::encoder_head head_of(const training_settings& s) {
  return s.next_sentence ? transept::encoder_head::pretraining : transept::encoder_head::masked_lm;
}

class masked_words final : public training_task {
public:
  masked_words(const training_settings& settings, const std::filesystem::path& run,
               const std::filesystem::path& checkpoint, int threads)
      : s_(settings),
        data_(open_text_data(run)),
        batches_(s_, data_.tokenizer, data_.training),
        trainer_(encoder_of_run(s_, data_.tokenizer, checkpoint, {.head = {head_of(s_)}}, threads)) {
    if (data_.validation.size() > batches_.length()) checks_.emplace(s_, data_.tokenizer, data_.validation);
  }

  any_trainer& trainer() override { return *trainer_; }

  double accumulate(std::size_t number, double weight) override {
    const masked_batch& batch = batches_.fill(number);
    return trainer_->accumulate(batch.texts.input(), batch.targets(), weight);
  }
  double loss(std::size_t number) override { return loss_of(batches_.fill(number)); }

  std::optional<judgement> judge() override {
    if (!checks_) return std::nullopt;
    const std::size_t most =
        std::max<std::size_t>(1, data_.validation.size() / (s_.batch * batches_.length()));
    const std::size_t count = s_.evaluate_batches == 0 ? most : s_.evaluate_batches;
    double total = 0;
    std::size_t targets = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const masked_batch& batch = checks_->fill(i);
      total += static_cast<double>(batch.masked()) * loss_of(batch);
      targets += batch.masked();
    }
    return judgement{total / static_cast<double>(std::max<std::size_t>(targets, 1))};
  }

  double sequences() const override { return static_cast<double>(s_.batch); }
  double length() const override { return static_cast<double>(batches_.length()); }
  std::string data_in_words() const override { return in_words(data_); }
  std::string next_step(const std::string& folder) const override {
    return "to see what it fills in:\n  fill_mask --model " + folder + " \"… " +
           std::string(special_token_text(data_.tokenizer, *mask_token(data_.tokenizer))) + " …\"";
  }

private:
  double loss_of(const masked_batch& batch) {
    return trainer_->evaluate(batch.texts.input(), batch.targets());
  }

  const training_settings s_;
  text_data data_;
  masked_batches batches_;
  std::optional<masked_batches> checks_;
  std::unique_ptr<encoder_trainer> trainer_;
};

} // namespace

std::unique_ptr<training_task> open_masked_words(const training_settings& settings,
                                                 const std::filesystem::path& run,
                                                 const std::filesystem::path& checkpoint, int threads) {
  return std::make_unique<masked_words>(settings, run, checkpoint, threads);
}

} // namespace examples
