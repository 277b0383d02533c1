"""Conan 2 recipe of the checkout that it lies in."""
import os
import re

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load

required_conan_version = ">=2.0"


class TranseptConan(ConanFile):
    name = "transept"
    description = "Transformers as compile-time types, in header-only C++20"
    license = "BSD-3-Clause"
    topics = ("transformer", "gpt-2", "llama", "simd", "header-only")
    settings = "os", "arch", "compiler", "build_type"
    options = {"compiled": [True, False], "shared": [True, False], "fPIC": [True, False]}
    default_options = {"compiled": False, "shared": False, "fPIC": True}

    @property
    def _root(self):
        return os.path.join(self.recipe_folder, "..", "..")

    def set_version(self):
        header = load(self, os.path.join(self._root, "include", "transept", "core", "version.hpp"))
        self.version = ".".join(re.search(rf"#define TRANSEPT_VERSION_{part} (\d+)", header).group(1)
                                for part in ("MAJOR", "MINOR", "PATCH"))

    def export_sources(self):
        for pattern in ("CMakeLists.txt", "LICENSE", "cmake/*", "include/*", "src/*"):
            copy(self, pattern, src=self._root, dst=self.export_sources_folder)

    def configure(self):
        if not self.options.compiled:
            self.options.rm_safe("shared")
            self.options.rm_safe("fPIC")
        elif self.options.shared:
            self.options.rm_safe("fPIC")

    def requirements(self):
        # A user's files include these.
        self.requires("xtensor/[>=0.24 <0.26]", transitive_headers=True)
        self.requires("xsimd/[>=8.0]", transitive_headers=True)
        self.requires("nlohmann_json/[>=3.9 <4]", transitive_headers=True)

    def validate(self):
        check_min_cppstd(self, 20)

    def layout(self):
        cmake_layout(self)

    def generate(self):
        CMakeDeps(self).generate()
        toolchain = CMakeToolchain(self)
        toolchain.cache_variables["TRANSEPT_INSTALL"] = True
        toolchain.cache_variables["TRANSEPT_BUILD_COMPILED"] = bool(self.options.compiled)
        for part in ("TESTS", "EXAMPLES", "BENCH"):
            toolchain.cache_variables[f"TRANSEPT_BUILD_{part}"] = False
        toolchain.generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        copy(self, "LICENSE", src=self.source_folder, dst=os.path.join(self.package_folder, "licenses"))
        CMake(self).install()

    def package_id(self):
        if not self.info.options.compiled:
            self.info.clear()  # headers serve any machine

    def package_info(self):
        self.cpp_info.set_property("cmake_file_name", "transept")
        headers = self.cpp_info.components["transept"]
        headers.set_property("cmake_target_name", "transept::transept")
        headers.set_property("pkg_config_name", "transept")
        headers.requires = ["xtensor::xtensor", "xsimd::xsimd", "nlohmann_json::nlohmann_json"]
        if self.settings.os in ("Linux", "FreeBSD"):
            headers.system_libs = ["pthread"]
        headers.bindirs, headers.libdirs = [], []
        if self.options.compiled:
            compiled = self.cpp_info.components["compiled"]
            compiled.set_property("cmake_target_name", "transept::compiled")
            compiled.set_property("pkg_config_name", "transept-compiled")
            compiled.libs = ["transept_compiled"]
            compiled.defines = ["TRANSEPT_COMPILED"]
            compiled.requires = ["transept"]
