// Checks of options, with messages for people. (CLI11's own print the largest double, and take -1 and all
// that is too large for 2⁶⁴ - 1.)
#pragma once

#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <system_error>

#include <CLI/CLI.hpp>

namespace examples {

/// 0, 1, 2, …, 2⁶⁴ − 1.
inline CLI::Validator whole_number() {
  return CLI::Validator(
      [](std::string& text) {
        std::uint64_t number = 0;
        const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (problem == std::errc::result_out_of_range && end == text.data() + text.size())
          return "expected a whole number below 2^64, found " + text;
        const bool good = problem == std::errc{} && end == text.data() + text.size();
        return good ? std::string() : "expected a whole number from 0, found " + text;
      },
      "");
}

/// least, …, most.
inline CLI::Validator whole_number_between(std::size_t least, std::size_t most) {
  return CLI::Validator(
      [=](std::string& text) {
        std::size_t number = 0;
        const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
        const bool good =
            problem == std::errc{} && end == text.data() + text.size() && number >= least && number <= most;
        return good ? std::string()
                    : "expected a whole number from " + std::to_string(least) + " to " +
                          std::to_string(most) + ", found " + text;
      },
      "");
}

namespace detail {

/// A number, not infinite, for which `good` is true.
template <class Good>
CLI::Validator finite_number(const char* expected, Good good) {
  return CLI::Validator(
      [=](std::string& text) {
        double number = 0;
        const bool fits = CLI::detail::lexical_cast(text, number) && std::isfinite(number) && good(number);
        return fits ? std::string() : "expected a number " + std::string(expected) + ", found " + text;
      },
      "");
}

} // namespace detail

/// A number that is not below 0.
inline CLI::Validator not_negative() {
  return detail::finite_number("from 0", [](double number) { return number >= 0; });
}

/// A number from 0 to 1.
inline CLI::Validator from_0_to_1() {
  return detail::finite_number("from 0 to 1", [](double number) { return number >= 0 && number <= 1; });
}

/// A number from 0 that is less than 1.
inline CLI::Validator from_0_below_1() {
  return detail::finite_number("from 0 that is less than 1",
                               [](double number) { return number >= 0 && number < 1; });
}

} // namespace examples
