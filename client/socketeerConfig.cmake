# find_package(socketeer): the target socketeer::client, and what it stands on.
include(CMakeFindDependencyMacro)
find_dependency(Threads)
find_dependency(absl CONFIG)
find_dependency(Protobuf MODULE)  # Debian's has no CONFIG
find_dependency(gRPC CONFIG)
find_dependency(OpenSSL)
find_dependency(yaml-cpp CONFIG)
include(${CMAKE_CURRENT_LIST_DIR}/socketeerTargets.cmake)
