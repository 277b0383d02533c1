// Accuracy, and F1 of entities.
#include <support/catch.hpp>

#include <string>
#include <vector>

#include <transept/encode/scores.hpp>

using namespace transept;

TEST_CASE("accuracy is the share of equal labels among those that count") {
  CHECK(accuracy(std::vector<int>{0, 1, 2, 2}, std::vector<int>{0, 1, 1, -1}) == Approx(2.0 / 3));
  CHECK(accuracy(std::vector<int>{}, std::vector<int>{}) == 0);
  CHECK_THROWS_AS(accuracy(std::vector<int>{1}, std::vector<int>{}), argument_error);
}

TEST_CASE("entities are right where their kind and both ends are, as seqeval counts them") {
  const std::vector<std::string> labels{"O", "B-PER", "I-PER", "B-LOC", "I-LOC"};
  label_score score;
  // expected PER[0,2) LOC[3,4); found PER[0,2) LOC[3,5): seqeval's f1 is 0.5
  count_entities(score, std::vector<int>{1, 2, 0, 3, 4}, std::vector<int>{1, 2, 0, 3, 0}, labels);
  CHECK((score.right == 1 && score.found == 2 && score.expected == 2));
  CHECK(score.f1() == Approx(0.5));
  count_entities(score, std::vector<int>{0, 0}, std::vector<int>{3, 4}, labels); // one that is missed
  CHECK(score.precision() == Approx(0.5));
  CHECK(score.recall() == Approx(1.0 / 3));
  CHECK(score.f1() == Approx(0.4));
  CHECK(label_score().f1() == 0);
  label_score some;
  count_entities(some, std::vector<int>{1, 1}, std::vector<int>{1, -1}, labels); // the second does not count
  CHECK((some.right == 1 && some.found == 1 && some.expected == 1));
  CHECK_THROWS_AS(count_entities(some, std::vector<int>{-1}, std::vector<int>{0}, labels), argument_error);
  CHECK_THROWS_AS(count_entities(score, std::vector<int>{0}, std::vector<int>{}, labels), argument_error);
}
