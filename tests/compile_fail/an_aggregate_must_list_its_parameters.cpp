// expect: a layer must list its parameters
#include <transept/tensor/parameters.hpp>
#include <transept/tensor/weights.hpp>

struct scale {
  transept::weight_vector<8> weight;
#ifdef TRANSEPT_CONTROL
  static constexpr auto members = transept::members_of(transept::member{"weight", &scale::weight});
#endif
};

std::size_t count(const scale& layer) { return transept::count_parameters(layer); }
