// A picture of attention: for each head of a layer, how much every token looks at every token before it.
//
//   attention --prompt "To be, or not to be" --layer 1 --out attention.svg
//   attention --layer 1 --head 2 > head.svg
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <iostream>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <common/any_model.hpp>
#include <common/program.hpp>
#include <common/prompt.hpp>
#include <common/svg.hpp>

#include <transept/io/atomic_file.hpp>

namespace {

namespace svg = examples::svg;
using svg::number;

/// What is drawn.
struct subject {
  std::string model; // its folder's name
  std::vector<std::string> tokens;
  std::size_t layer, layers;
  std::vector<std::size_t> heads;
  transept::array<4> attentions; // [1, head, from, to]

  std::size_t size() const { return tokens.size(); }
  double weight(std::size_t head, std::size_t from, std::size_t to) const {
    return static_cast<double>(attentions(0, head, from, to));
  }
};

/// A power below one spreads the small probabilities, which are most of them, over the scale.
double darkness(double probability) { return std::pow(std::clamp(probability, 0.0, 1.0), 0.6); }

std::string percent(double probability) { return number(std::round(100 * probability)) + "%"; }

class picture {
public:
  explicit picture(const subject& what) : what_(what), single_(what.heads.size() == 1) {
    const auto tokens = static_cast<double>(what.size());
    if (what.size() > 64)
      cell_ = std::max(1.5, (single_ ? 900.0 : 480.0) / tokens);
    else
      cell_ = single_ ? std::clamp(720 / tokens, 12.0, 40.0) : std::clamp(280 / tokens, 12.5, 20.0);
    font_ = std::clamp(cell_ * 0.66, 8.0, 13.0);
    label_step_ = static_cast<std::size_t>(std::ceil(font_ * 1.15 / cell_));
    side_ = cell_ * tokens;
    left_ = above_ = 0;
    double right = 0;
    for (std::size_t i = 0; i < what.size(); ++i) {
      labels_.push_back(svg::visible(what.tokens[i], 14));
      if (i % label_step_ != 0) continue;
      const double width = static_cast<double>(labels_[i].columns) * font_ * 0.61;
      const double slanted = (width + font_) * 0.71; // as much to the right as upwards
      left_ = std::max(left_, width + 8);
      above_ = std::max(above_, slanted - static_cast<double>(i) * cell_);
      right = std::max(right, slanted - (tokens - 0.5 - static_cast<double>(i)) * cell_);
    }
    above_ += 34;
    panel_width_ = std::max(left_ + side_ + right, 250.0);
    panel_height_ = above_ + side_;
  }

  std::string draw() {
    const std::size_t count = what_.heads.size();
    const auto across = static_cast<std::size_t>(std::ceil(std::sqrt(static_cast<double>(count))));
    const std::size_t down = (count + across - 1) / across;
    constexpr double margin = 28, heading = 104, gap = 22;
    const double body = static_cast<double>(across) * (panel_width_ + gap) - gap;
    const double width = std::max(2 * margin + body, 720.0);
    const double height = heading + static_cast<double>(down) * (panel_height_ + gap) + 14;

    out_ = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" +
           number(width) + "\" height=\"" + number(height) + "\" viewBox=\"0 0 " + number(width) + " " +
           number(height) + "\" role=\"img\">\n";
    draw_style();
    draw_heading(margin, width);
    const double begin = margin + (width - 2 * margin - body) / 2;
    for (std::size_t i = 0; i < count; ++i) {
      draw_panel(what_.heads[i], begin + static_cast<double>(i % across) * (panel_width_ + gap),
                 heading + static_cast<double>(i / across) * (panel_height_ + gap));
    }
    return out_ + "</svg>\n";
  }

private:
  void draw_style() {
    out_ +=
        "<style>\n"
        "text { font-family: system-ui, 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif; fill: #1c2333 }\n"
        ".token { font-family: ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace; font-size: " +
        number(font_) +
        "px }\n"
        ".to { fill: #5d6b82 }\n"
        ".title { font-size: 21px; font-weight: 600 }\n"
        ".head { font-size: 14px; font-weight: 600 }\n"
        ".note { font-size: 12px; fill: #5d6b82 }\n"
        ".small { font-size: 10.5px; fill: #5d6b82 }\n"
        ".value { font-size: " +
        number(cell_ * 0.32) +
        "px; text-anchor: middle }\n"
        "</style>\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n";
  }

  void text(std::string_view style, double x, double y, std::string_view xml, std::string_view more = "") {
    out_ += "<text class=\"" + std::string(style) + "\" x=\"" + number(x) + "\" y=\"" + number(y) + "\"" +
            std::string(more) + ">" + std::string(xml) + "</text>\n";
  }

  void draw_heading(double margin, double width) {
    const std::string title =
        (single_ ? "Attention of head " + std::to_string(what_.heads[0]) : "Attention") + " in layer " +
        std::to_string(what_.layer);
    out_ += "<title>" + title + "</title>\n";
    text("title", margin, 44, title);
    text("note", margin, 66,
         svg::visible(what_.model, 40).xml + ", layers 0 to " + std::to_string(what_.layers - 1) + "; " +
             std::to_string(what_.size()) + (what_.size() == 1 ? " token" : " tokens"));
    text("note", margin, 83, "A row is a token, its columns the tokens it looks at; every row sums to 100%.");
    draw_legend(width - margin - 200, 34);
  }

  /// The scale, linear in darkness: a bar of 200 × 12 with the probabilities below it.
  void draw_legend(double x, double y) {
    out_ += "<g shape-rendering=\"crispEdges\">\n";
    for (int i = 0; i < 50; ++i)
      out_ += "<rect x=\"" + number(x + 4 * i) + "\" y=\"" + number(y) +
              "\" width=\"4\" height=\"12\" fill=\"" + svg::colour((i + 0.5) / 50) + "\"/>\n";
    out_ += "</g>\n<rect x=\"" + number(x) + "\" y=\"" + number(y) +
            "\" width=\"200\" height=\"12\" fill=\"none\" stroke=\"#b9c0cc\" stroke-width=\"0.75\"/>\n";
    for (const double tick : {0.0, 0.05, 0.2, 0.5, 1.0}) {
      const double at = x + 200 * darkness(tick);
      out_ += "<path d=\"M" + number(at) + " " + number(y + 12) + "v4\" stroke=\"#5d6b82\"/>\n";
      text("small", at, y + 27, percent(tick), " text-anchor=\"middle\"");
    }
  }

  /// How much a head looks at the token itself, the one before it, and the first, on the average.
  std::string summary(std::size_t head) const {
    const std::size_t n = what_.size();
    if (n < 3) return "";
    double self = 0, previous = 0, first = 0;
    for (std::size_t i = 2; i < n; ++i) { // from where the three are different tokens
      self += what_.weight(head, i, i);
      previous += what_.weight(head, i, i - 1);
      first += what_.weight(head, i, 0);
    }
    const auto count = static_cast<double>(n - 2);
    return "itself " + percent(self / count) + ", previous " + percent(previous / count) + ", first " +
           percent(first / count);
  }

  void draw_panel(std::size_t head, double x, double y) {
    out_ += "<g transform=\"translate(" + number(x) + " " + number(y) + ")\">\n";
    const std::string name = single_ ? "" : "head " + std::to_string(head);
    text("head", 0, 14, name);
    text("small", 10.5 * static_cast<double>(name.size()), 14, summary(head));
    out_ += "<g transform=\"translate(" + number(left_) + " " + number(above_) + ")\">\n";
    draw_staircase();
    if (what_.size() * what_.size() / 2 * what_.heads.size() <= 20'000)
      draw_cells(head);
    else
      draw_many_cells(head);
    draw_labels();
    out_ += "</g>\n</g>\n";
  }

  /// The outline of the half of the square that a causal model can see.
  void draw_staircase() {
    out_ += "<path d=\"M0 0";
    for (std::size_t i = 0; i < what_.size(); ++i) out_ += "h" + number(cell_) + "v" + number(cell_);
    out_ += "H0Z\" fill=\"" + svg::colour(0) + "\" stroke=\"#cdd3dc\" stroke-width=\"0.75\"/>\n";
  }

  /// One rectangle for each pair, which says what it is when pointed at.
  void draw_cells(std::size_t head) {
    const double gap = cell_ >= 9 ? 0.6 : 0;
    const bool with_values = cell_ >= 26;
    for (std::size_t from = 0; from < what_.size(); ++from) {
      for (std::size_t to = 0; to <= from; ++to) {
        const double weight = what_.weight(head, from, to);
        const double left = static_cast<double>(to) * cell_, top = static_cast<double>(from) * cell_;
        out_ += "<rect x=\"" + number(left + gap / 2) + "\" y=\"" + number(top + gap / 2) + "\" width=\"" +
                number(cell_ - gap) + "\" height=\"" + number(cell_ - gap) + "\" fill=\"" +
                svg::colour(darkness(weight)) + "\"><title>" + labels_[from].xml + " → " + labels_[to].xml +
                ": " + number(100 * weight) + "%</title></rect>\n";
        if (with_values && weight >= 0.005)
          text("value", left + cell_ / 2, top + cell_ * 0.61, number(std::round(100 * weight)),
               darkness(weight) > 0.55 ? " style=\"fill:#ffffff\" pointer-events=\"none\""
                                       : " pointer-events=\"none\"");
      }
    }
  }

  /// The same where there are very many: one path for each shade, of runs of equal cells.
  void draw_many_cells(std::size_t head) {
    constexpr std::size_t shades = 48;
    std::vector<std::string> paths(shades + 1);
    const auto shade = [&](std::size_t from, std::size_t to) {
      return static_cast<std::size_t>(std::lround(darkness(what_.weight(head, from, to)) * shades));
    };
    for (std::size_t from = 0; from < what_.size(); ++from) {
      for (std::size_t to = 0, end = 0; to <= from; to = end) {
        for (end = to + 1; end <= from && shade(from, end) == shade(from, to);) ++end;
        const std::string run = std::to_string(end - to);
        paths[shade(from, to)] += std::string("M") + std::to_string(to) + " " + std::to_string(from) + "h" +
                                  run + "v1h-" + run + "z";
      }
    }
    out_ += "<g shape-rendering=\"crispEdges\" transform=\"scale(" + number(cell_) + ")\">\n";
    for (std::size_t i = 1; i <= shades; ++i)
      if (!paths[i].empty())
        out_ +=
            "<path fill=\"" + svg::colour(static_cast<double>(i) / shades) + "\" d=\"" + paths[i] + "\"/>\n";
    out_ += "</g>\n";
  }

  /// Each token before its row, and, slanted, above its column.
  void draw_labels() {
    for (std::size_t i = 0; i < what_.size(); i += label_step_) {
      const double begin = static_cast<double>(i) * cell_, middle = begin + cell_ / 2;
      text("token", -6, middle + font_ * 0.35, labels_[i].xml, " text-anchor=\"end\"");
      out_ += "<text class=\"token to\" transform=\"translate(" + number(middle + font_ * 0.3) + " " +
              number(begin - 3) + ") rotate(-45)\">" + labels_[i].xml + "</text>\n";
    }
  }

  const subject& what_;
  bool single_;
  double cell_, font_, side_, left_, above_, panel_width_, panel_height_; // in pixels
  std::size_t label_step_; // every how manieth token is labelled
  std::vector<svg::label> labels_;
  std::string out_;
};

/// `index` if the model has that many, else an error.
std::size_t checked(std::string_view what, int index, std::size_t count) {
  if (index < 0 || static_cast<std::size_t>(index) >= count)
    throw transept::argument_error("--" + std::string(what) + " " + std::to_string(index) +
                                   ": this model's are 0 to " + std::to_string(count - 1));
  return static_cast<std::size_t>(index);
}

std::vector<std::string> token_texts(const std::vector<transept::token_id>& ids,
                                     const std::optional<transept::tokenizer>& tokenizer) {
  std::vector<std::string> texts;
  for (const transept::token_id id : ids) {
    const bool known = tokenizer && static_cast<std::size_t>(id) < tokenizer->vocabulary_size();
    texts.push_back(known ? std::string(tokenizer->bytes(id)) : std::to_string(id));
  }
  return texts;
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app("Draws a layer's attention for a text, as an SVG picture: tokens by tokens, all its heads",
               "attention");
  examples::model_options common;
  examples::prompt_options prompt;
  int layer = 0;
  std::optional<int> head;
  std::filesystem::path out = "-";
  common.add_to(app);
  prompt.add_to(app);
  app.add_option("--layer", layer, "Which layer, from 0")->type_name("N")->capture_default_str();
  app.add_option("--head", head, "One head alone, larger, from 0")->type_name("N");
  app.add_option("--out", out, "Where to write the picture; -: standard output")
      ->type_name("FILE.svg")
      ->capture_default_str();

  return examples::run_program(app, argc, argv, [&] {
    if (!prompt.text && prompt.ids.empty()) prompt.text = "To be, or not to be: that is the question.";
    const auto tokenizer = prompt.open_tokenizer(common.model);
    const auto model = examples::open_model(common.model, common.load_options());
    const auto ids = prompt.tokens(*model, tokenizer ? &*tokenizer : nullptr);
    const auto shape = model->shape();

    subject what{.model = std::filesystem::absolute(common.model / "config.json").parent_path().filename(),
                 .tokens = token_texts(ids, tokenizer),
                 .layer = checked("layer", layer, shape.n_layer),
                 .layers = shape.n_layer,
                 .heads = {},
                 .attentions = transept::make_array<4>({0, 0, 0, 0})};
    if (head) {
      what.heads = {checked("head", *head, shape.n_head)};
    } else {
      what.heads.resize(shape.n_head);
      std::iota(what.heads.begin(), what.heads.end(), std::size_t{0});
    }
    auto options = common.session_options();
    options.capacity = model->capacity_for(ids.size());
    auto session = model->make_session(options);
    what.attentions =
        inspect(*model, session, ids, {.attentions = true, .attention_layer = layer}).attentions;

    const std::string drawn = picture(what).draw();
    if (out == "-") {
      std::cout << drawn;
    } else {
      transept::write_text(out, drawn);
    }
  });
}
