# What `cmake --install BUILD --component development` adds to the layers (tercel_layer.cmake): the
# files that find_package(tercel) reads. docs/guide/cpp.md is for who uses them.
include(CMakePackageConfigHelpers)

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/tercel)
configure_package_config_file(
  ${CMAKE_CURRENT_LIST_DIR}/tercelConfig.cmake.in ${PROJECT_BINARY_DIR}/tercelConfig.cmake
  INSTALL_DESTINATION ${package_folder} NO_SET_AND_CHECK_MACRO)
# Before 1.0 a minor version may change any interface.
write_basic_package_version_file(
  ${PROJECT_BINARY_DIR}/tercelConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(
  FILES ${PROJECT_BINARY_DIR}/tercelConfig.cmake ${PROJECT_BINARY_DIR}/tercelConfigVersion.cmake
  DESTINATION ${package_folder} COMPONENT development)
install(EXPORT tercelTargets NAMESPACE tercel::
  DESTINATION ${package_folder} COMPONENT development)
