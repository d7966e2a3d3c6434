/* Uses size_t without including what declares it. */
size_t bad_alone(void); /* expect: headers:gcc expect: headers:clang */
