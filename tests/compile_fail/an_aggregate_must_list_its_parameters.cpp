// expect: a layer must list its parameters
#include <tuple>

#include <transept/tensor/parameters.hpp>
#include <transept/tensor/weights.hpp>

struct scale {
  transept::weight_vector<8> weight;
#ifdef TRANSEPT_CONTROL
  static constexpr auto members = std::tuple(transept::member{"weight", &scale::weight});
#endif
};

std::size_t count(const scale& layer) { return transept::count_parameters(layer); }
