/* Reads the options of schema.def. OPT_TOLD_ONLY and OPT_UNREAD stand in this comment and in a text alone. */
void reader(const struct conf_clause *c)
{
	use(conf_bool(c, OPT_READ));
	use(conf_text(c, OPT_READ_TWICE), "OPT_TOLD_ONLY", conf_text(c, OPT_READ_TWICE)); // OPT_LATER
	use(conf_bool(c, OPT_PREFIX_LONG));
	use(conf_bool(c, OPT_COMES)); /* expect: options */
	/* lint-ok: options it is printed as it was given */
	use(conf_bool(c, OPT_PRINTED));
}
