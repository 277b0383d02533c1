#include <training/log.hpp>

#include <algorithm>
#include <cmath>

#include <common/svg.hpp>
#include <common/terminal.hpp>

namespace examples {
namespace {

/// A round number from which to `most` there are about five steps: 1, 2 or 5 times a power of ten.
double step_of(double range) {
  const double least = range / 6, power = std::pow(10.0, std::floor(std::log10(least)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (factor * power >= least) return factor * power;
  return 10 * power;
}

constexpr const char* beginning = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg";

/// The picture: axes, a line per series, labels where the lines end.
class curve {
public:
  curve(const std::vector<log_row>& rows) : rows_(rows) {
    for (const log_row& row : rows_) {
      last_ = std::max(last_, static_cast<double>(row.iteration));
      for (const auto& loss : {row.training_loss, row.validation_loss})
        if (loss && std::isfinite(*loss)) {
          least_ = std::min(least_, *loss);
          most_ = std::max(most_, *loss);
        }
    }
    if (least_ > most_) least_ = 0, most_ = 1;
    most_ = std::clamp(most_, least_ + least_range, least_ + most_range);
    const double step = step_of(most_ - least_);
    least_ = std::floor(least_ / step) * step;
    most_ = std::ceil(most_ / step) * step;
  }

  std::string draw(const std::string& title, const std::string& unit) {
    out_ = beginning;
    out_ += " xmlns=\"http://www.w3.org/2000/svg\" width=\"" + svg::number(width) + "\" height=\"" +
            svg::number(height) + "\" viewBox=\"0 0 " + svg::number(width) + " " + svg::number(height) +
            "\" font-family=\"system-ui, sans-serif\" font-size=\"12\">\n"
            "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n";
    text(left, 24, title, "#1a1f27", "start", " font-size=\"15\" font-weight=\"600\"");
    axes(unit);
    series(&log_row::training_loss, "training", "#6b9bd1", 1.25);
    series(&log_row::validation_loss, "validation", "#b3402a", 2);
    return out_ + "</svg>\n";
  }

private:
  /// Of the losses that are drawn: the labels stay short, and a run that diverged still shows its course.
  static constexpr double least_range = 0.05, most_range = 20;
  static constexpr double width = 760, height = 420, left = 56, right = 128, top = 56, bottom = 48;

  double x(double iteration) const { return left + iteration / last_ * (width - left - right); }
  double y(double loss) const {
    return height - bottom - (std::min(loss, most_) - least_) / (most_ - least_) * (height - top - bottom);
  }

  void text(double at_x, double at_y, const std::string& what, const char* fill, const char* anchor,
            const char* more = "") {
    out_ += "<text x=\"" + svg::number(at_x) + "\" y=\"" + svg::number(at_y) + "\" fill=\"" + fill +
            "\" text-anchor=\"" + anchor + "\"" + more + ">" + escaped(what) + "</text>\n";
  }

  static std::string escaped(const std::string& what) {
    std::string xml;
    for (const char c : what) xml += c == '&' ? "&amp;" : c == '<' ? "&lt;" : std::string(1, c);
    return xml;
  }

  void line(double x1, double y1, double x2, double y2, const char* stroke) {
    out_ += "<path d=\"M" + svg::number(x1) + " " + svg::number(y1) + "L" + svg::number(x2) + " " +
            svg::number(y2) + "\" stroke=\"" + stroke + "\"/>\n";
  }

  void axes(const std::string& unit) {
    const double step = step_of(most_ - least_);
    const int digits = std::max(0, static_cast<int>(std::ceil(-std::log10(step) - 1e-9)));
    for (double loss = least_; loss <= most_ + step / 2; loss += step) {
      line(left, y(loss), width - right, y(loss), "#e4e8ee");
      text(left - 8, y(loss) + 4, decimal(loss, digits), "#5b6573", "end");
    }
    const double every = std::max(1.0, step_of(last_));
    for (double iteration = 0; iteration <= last_ * (1 + 1e-9); iteration += every) {
      line(x(iteration), height - bottom, x(iteration), height - bottom + 5, "#9aa4b2");
      text(x(iteration), height - bottom + 20, grouped(static_cast<std::size_t>(iteration)), "#5b6573",
           "middle");
    }
    line(left, height - bottom, width - right, height - bottom, "#9aa4b2");
    text((left + width - right) / 2, height - 10, "iterations", "#5b6573", "middle");
    text(left, top - 8, "loss, " + unit, "#5b6573", "start");
  }

  void series(std::optional<double> log_row::*loss, const char* name, const char* colour, double thickness) {
    std::string path, points;
    const log_row* end = nullptr;
    for (const log_row& row : rows_)
      if (row.*loss && std::isfinite(*(row.*loss))) {
        const std::string at_x = svg::number(x(static_cast<double>(row.iteration)));
        const std::string at_y = svg::number(y(*(row.*loss)));
        path += (path.empty() ? "M" : "L") + at_x + " " + at_y;
        points += "<circle cx=\"" + at_x + "\" cy=\"" + at_y + "\" r=\"2.5\" fill=\"" + colour + "\"/>\n";
        end = &row;
      }
    if (!end) return;
    out_ += "<path d=\"" + path + "\" fill=\"none\" stroke=\"" + colour + "\" stroke-width=\"" +
            svg::number(thickness) + "\" stroke-linejoin=\"round\"/>\n";
    if (thickness > 1.5) out_ += points; // what is measured now and then
    double at = y(*(end->*loss)) + 4;    // two labels must not lie on one another
    if (std::abs(at - label_) < 14) at = at >= label_ ? label_ + 14 : label_ - 14;
    label_ = at;
    const double last = *(end->*loss);
    text(x(static_cast<double>(end->iteration)) + 8, at,
         name + (last > most_ ? " above " + decimal(most_, 0) : " " + decimal(last, 3)), colour, "start");
  }

  const std::vector<log_row>& rows_;
  double least_ = 1e30, most_ = -1e30, last_ = 1, label_ = -100;
  std::string out_;
};

} // namespace

std::filesystem::path picture_place(std::filesystem::path path) {
  check_replaceable(path, beginning, "--picture");
  return path;
}

std::string loss_curve(const std::string& title, const std::string& unit, const std::vector<log_row>& rows) {
  return curve(rows).draw(title, unit);
}

} // namespace examples
