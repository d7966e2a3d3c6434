/* Has no guard. */
struct bad_guard { /* expect: headers:gcc expect: headers:clang */
	int n;
};
