include(CTest)

# Copies what is listed into the folder that all modules share, and installs that folder.
macro(slicerMacroBuildScriptedModule)
  cmake_parse_arguments(MY "WITH_GENERIC_TESTS;WITH_SUBDIR" "NAME" "SCRIPTS;RESOURCES" ${ARGN})
  if(MY_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "Unknown keywords: ${MY_UNPARSED_ARGUMENTS}")
  endif()
  message(STATUS "Configuring Scripted module: ${MY_NAME}")
  foreach(file IN LISTS MY_SCRIPTS MY_RESOURCES)
    configure_file(
      ${CMAKE_CURRENT_SOURCE_DIR}/${file}
      ${CMAKE_BINARY_DIR}/${Slicer_QTSCRIPTEDMODULES_LIB_DIR}/${file}
      COPYONLY
    )
  endforeach()
  install(
    DIRECTORY ${CMAKE_BINARY_DIR}/${Slicer_QTSCRIPTEDMODULES_LIB_DIR}/
    DESTINATION ${Slicer_INSTALL_QTSCRIPTEDMODULES_LIB_DIR}
    COMPONENT RuntimeLibraries
  )
endmacro()

macro(slicer_add_python_test)
  cmake_parse_arguments(MY "" "TESTNAME_PREFIX;SCRIPT" "SLICER_ARGS;SCRIPT_ARGS" ${ARGN})
  get_filename_component(test_name ${MY_SCRIPT} NAME_WE)
  add_test(
    NAME py_${MY_TESTNAME_PREFIX}${test_name}
    COMMAND ${CMAKE_COMMAND} -E echo ${MY_SLICER_ARGS} --python-script ${MY_SCRIPT} ${MY_SCRIPT_ARGS}
  )
endmacro()

macro(slicer_add_python_unittest)
  cmake_parse_arguments(MY "" "TESTNAME_PREFIX;SCRIPT" "SLICER_ARGS" ${ARGN})
  get_filename_component(test_name ${MY_SCRIPT} NAME_WE)
  add_test(
    NAME py_${MY_TESTNAME_PREFIX}${test_name}
    COMMAND ${CMAKE_COMMAND} -E echo ${MY_SLICER_ARGS} --python-code ${test_name}
  )
endmacro()
