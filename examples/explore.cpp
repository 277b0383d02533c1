// The ten likeliest next words, with their probabilities; choose one and go on. (After AllenAI's GPT-2
// Explorer.)
#include <algorithm>
#include <cmath>
#include <optional>

#include <common/any_model.hpp>
#include <common/bars.hpp>
#include <common/program.hpp>
#include <common/prompt.hpp>
#include <common/terminal.hpp>

#include <transept/generate/candidates.hpp>
#include <transept/generate/probabilities.hpp>
#include <transept/text/unicode.hpp>

namespace {

using namespace examples;

struct options {
  model_options common;
  prompt_options prompt;

  void add_to(CLI::App& app) {
    prompt.add_to(app);
    common.add_to(app);
    app.description(
        "Shows the ten likeliest next words (tokens) and their probabilities; choose one and go on.");
    app.footer(
        "Then type: a number from 1 to 10 to take that word; nothing to take the likeliest; u to undo; q to\n"
        "quit; or any other text, which is added as it is, its spaces too (begin with + where it would be a\n"
        "command; a line that ends in \\ goes on with the next).");
  }
};

struct word {
  transept::token_id id;
  double probability;
};

/// The text so far, token by token, and what may come next.
class explorer {
public:
  static constexpr std::size_t count = 10;

  explorer(const any_model& model, const transept::tokenizer* tokenizer,
           const transept::session_options& options)
      : model_(model),
        tokenizer_(tokenizer),
        session_(model.make_session(options)),
        list_(model.vocab_size()) {}

  const transept::tokenizer* tokenizer() const { return tokenizer_; }
  const std::vector<transept::token_id>& text() const { return text_; }
  bool can_undo() const { return !steps_.empty(); }
  bool fits(std::size_t more) const { return text_.size() + more <= session_.capacity(); }

  void add(std::span<const transept::token_id> tokens) {
    if (!text_.empty()) steps_.push_back(text_.size());
    text_.insert(text_.end(), tokens.begin(), tokens.end());
  }

  void undo() {
    text_.resize(steps_.back());
    steps_.pop_back();
  }

  /// The likeliest next tokens, likeliest first. Feeds only what the session has not seen.
  std::vector<word> next() {
    // The last token is always fed (again), for its logits.
    truncate(session_, std::min(session_.length(), text_.size() - 1));
    list_.assign(forward(model_, session_, std::span(text_).subspan(session_.length())));
    const double log_sum = log_sum_exp(list_);
    std::vector<transept::candidate> likeliest(std::min(count, list_.size()));
    std::partial_sort_copy(list_.begin(), list_.end(), likeliest.begin(), likeliest.end(),
                           [](const transept::candidate& a, const transept::candidate& b) {
                             return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
                           });
    std::vector<word> words;
    for (const transept::candidate& each : likeliest)
      words.push_back({each.id, std::exp(static_cast<double>(each.logit) - log_sum)});
    return words;
  }

  /// The bytes of tokens; without a vocabulary, their ids.
  std::string spelled(std::span<const transept::token_id> tokens) const {
    return tokenizer_ ? tokenizer_->decode(tokens) : join_ids(tokens);
  }

private:
  const any_model& model_;
  const transept::tokenizer* tokenizer_;
  transept::session session_;
  transept::candidates list_;
  std::vector<transept::token_id> text_;
  std::vector<std::size_t> steps_; // the text's length before each choice
};

/// The commands, as typed.
class screen {
public:
  screen(explorer& explorer, bool starts_from_nothing)
      : explorer_(explorer), hidden_(starts_from_nothing ? 1 : 0), old_(hidden_) {}

  void run() {
    while (std::cout) {
      words_ = explorer_.next();
      show();
      if (!note_.empty()) std::cerr << note_ << "\n";
      note_.clear();
      const auto line = read_line("> ");
      if (!line || *line == "q" || *line == "quit") return;
      obey(*line);
    }
  }

private:
  void obey(const std::string& line) {
    if (line == "u" || line == "undo") {
      if (!explorer_.can_undo()) note_ = "nothing to undo";
      if (explorer_.can_undo()) explorer_.undo();
      old_ = explorer_.text().size();
    } else if (line.find_first_not_of("0123456789") == line.npos) {
      const std::size_t number = line.empty() ? 1 : line.size() > 3 ? 0 : std::stoul(line);
      if (number < 1 || number > words_.size())
        note_ =
            "words are numbered from 1 to " + std::to_string(words_.size()) + "; +" + line + " adds " + line;
      else
        add(std::span(&words_[number - 1].id, 1));
    } else if (!explorer_.tokenizer()) {
      note_ = "without a vocabulary only numbers can be chosen";
    } else {
      add(explorer_.tokenizer()->encode(std::string_view(line).substr(line.starts_with('+') ? 1 : 0)));
    }
  }

  void add(std::span<const transept::token_id> tokens) {
    old_ = explorer_.text().size();
    if (explorer_.fits(tokens.size()))
      explorer_.add(tokens);
    else
      note_ = "the model's context has no room for that: u goes back";
  }

  /// The text, its newest part bold; then the words, with bars as long as they are likely against the first.
  void show() const {
    const style style;
    if (is_terminal(stdin)) std::cout << style.clear();
    const std::span<const transept::token_id> text = explorer_.text();
    const std::string all = explorer_.spelled(text.subspan(hidden_));
    std::string old = explorer_.spelled(text.subspan(hidden_, old_ - hidden_));
    old.resize(old.size() - transept::incomplete_suffix(old)); // no bold half character
    std::cout << displayable(old) << style.bold() << displayable(all.substr(old.size())) << style.plain()
              << "\n\n";
    const transept::tokenizer* const words = explorer_.tokenizer();
    for (std::size_t i = 0; i < words_.size(); ++i) {
      const word& word = words_[i];
      std::cout << right_aligned(std::to_string(i + 1), 4)
                << right_aligned(decimal(100 * word.probability, 1), 7) << "%  " << style.colour()
                << bar(word.probability / words_[0].probability, 24) << style.plain() << "  "
                << (words && words->has(word.id) ? transept::quoted(words->bytes(word.id))
                                                 : std::to_string(word.id))
                << "\n";
    }
    if (style.on)
      std::cout << style.dim()
                << "\n  1-10: take that word   Enter: the first   u: undo   q: quit   else: your text"
                << style.plain() << "\n";
    std::cout << std::endl;
  }

  explorer& explorer_;
  std::size_t hidden_; // tokens at the beginning that nobody typed
  std::size_t old_;    // tokens before the newest part
  std::vector<word> words_;
  std::string note_;
};

void run(const options& chosen) {
  const auto model = open_model(chosen.common.model, chosen.common.load_options());
  const auto tokenizer = chosen.prompt.open_tokenizer(chosen.common.model);
  const transept::tokenizer* const words = tokenizer ? &*tokenizer : nullptr;
  explorer explorer(*model, words, chosen.common.session_options());
  explorer.add(chosen.prompt.tokens(*model, words));
  screen(explorer, chosen.prompt.from_nothing()).run();
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app("", "explore");
  options chosen;
  chosen.add_to(app);
  return run_program(app, argc, argv, [&] { run(chosen); });
}
