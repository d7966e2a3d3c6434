/* Writes the seeds of fuzz_routes, fuzz_bmp and fuzz_asn_db anew: route_seeds FOLDER, which has fuzz_routes.corpus and so on. */
#include <stdio.h>
#include <stdlib.h>

#include "base/libbz2.h"
#include "base/libz.h"
#include "tests/unit/rpki/bgp_bytes.h"
#include "tests/unit/rpki/mmdb_bytes.h"

static void save(const char *folder, const char *target, const char *name, uint8_t first, struct span s)
{
	char path[1000];
	FILE *f;

	(void)snprintf(path, sizeof path, "%s/%s.corpus/%s", folder, target, name);
	f = fopen(path, "w");
	if (f == NULL || fputc(first, f) == EOF || fwrite(s.p, 1, s.n, f) != s.n || fclose(f) != 0) {
		perror(path);
		exit(1);
	}
}

static void save_packed(const char *folder, const char *name, struct span s)
{
	uint8_t room[4000];
	z_stream z = { .next_in = s.p, .avail_in = (unsigned int)s.n, .next_out = room, .avail_out = sizeof room };
	unsigned int n = sizeof room;
	char path[100];

	if (deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK || deflate(&z, Z_FINISH) != Z_STREAM_END)
		exit(1);
	(void)snprintf(path, sizeof path, "%s-gzip", name);
	save(folder, "fuzz_routes", path, 7, span_of(room, z.total_out));
	(void)deflateEnd(&z);
	if (BZ2_bzBuffToBuffCompress((char *)room, &n, (char *)(uintptr_t)s.p, (unsigned int)s.n, 1, 0, 0) != BZ_OK)
		exit(1);
	(void)snprintf(path, sizeof path, "%s-bzip2", name);
	save(folder, "fuzz_routes", path, 7, span_of(room, n));
}

static void routes(const char *folder)
{
	static const char text[] = "192.0.2.0/24 AS64496\n2001:db8::/32\t64497\n", ris[] = "% RIS\n64496\t192.0.2.0/24\t311\n{64496,64497}\t10.0.0.0/8\t3\n",
				 pfx2as[] = "192.0.2.0\t24\t64496_64497\n2001:db8::\t32\t64496,64497\n", bad[] = "prefix,origin\nx\n10.0.0.0/8 1\n10.0.0.1/8 1\n10.0.0.0/8 1\n";
	uint8_t room[3000];
	struct writer w = writer_of(room, sizeof room);
	size_t at;

	write_peers(&w);
	write_rib(&w, 2, "192.0.2.0/24", false, (const uint32_t[]){ 64496, 64497, 64496 }, 3);
	write_rib(&w, 4, "2001:db8::/32", false, (const uint32_t[]){ 4200000000u }, 1);
	at = mrt_begin(&w, 16, 4);
	write_length(&w, at, 4, 0);
	write_rib(&w, 8, "10.0.0.0/7", true, (const uint32_t[]){ 1, 2 }, 2);
	write_rib(&w, 10, "::/0", true, (const uint32_t[]){ 3 }, 1);
	save(folder, "fuzz_routes", "mrt", 0, writer_done(&w));
	save(folder, "fuzz_routes", "mrt-half", 12, span_of(room, w.pos - 5));
	save_packed(folder, "mrt", writer_done(&w));
	save(folder, "fuzz_routes", "text", 3, span_text(text));
	save(folder, "fuzz_routes", "ris", 3, span_text(ris));
	save(folder, "fuzz_routes", "pfx2as", 3, span_text(pfx2as));
	save(folder, "fuzz_routes", "bad", 3, span_text(bad));
	save_packed(folder, "text", span_text(text));
}

static void session(const char *folder)
{
	uint8_t room[4000];
	struct writer w = writer_of(room, sizeof room);
	size_t at = bmp_begin(&w, BMP_INITIATION);

	bmp_finish(&w, at);
	write_up(&w, 0, 0, 1, 64500, 0, 0);
	write_up(&w, 0, 0x80, 2, 64501, 3, 3);
	write_up(&w, 3, 0, 0, 64499, 0, 0);
	write_monitoring(&w, 0, 0, 1, 64500, NULL, "10.0.0.0/8", 64496);
	write_monitoring(&w, 0, 0, 1, 64500, "10.0.0.0/8", "11.0.0.0/8", 64496);
	write_monitoring(&w, 3, 0, 0, 64499, NULL, "12.0.0.0/8", 64498);
	save(folder, "fuzz_bmp", "routes", 40, writer_done(&w));
	write_down(&w, 0, 0, 1, 64500);
	write_monitoring(&w, 0, 0, 1, 64500, NULL, "10.0.0.0/8", 64496);
	at = bmp_begin(&w, BMP_TERMINATION);
	bmp_finish(&w, at);
	save(folder, "fuzz_bmp", "ended", 255, writer_done(&w));
	w = writer_of(room, sizeof room);
	write_up(&w, 0, 0x60, 1, 64500, 0, 0);
	write_monitoring(&w, 0, 0x60, 1, 64500, NULL, "10.0.0.0/8", 64496);
	write_up(&w, 0, 0x60, 1, 64500, 1, 2);
	write_monitoring(&w, 0, 0x40, 1, 64500, NULL, "10.0.0.0/8", 64496);
	save(folder, "fuzz_bmp", "again", 9, writer_done(&w));
}

static void save_database(const char *folder, const char *name, const struct mmdb *m)
{
	uint8_t room[10000];
	struct writer w = writer_of(room, sizeof room);
	uint8_t first;

	mmdb_write(m, &w);
	first = room[0];
	save(folder, "fuzz_asn_db", name, first, span_of(room + 1, w.pos - 1));
}

static void databases(const char *folder)
{
	static struct mmdb m;

	mmdb_begin(&m, 4);
	mmdb_add(&m, "192.0.2.0/24", 64496);
	mmdb_put(&m, "10.0.0.0/8", MMDB_DATA | mmdb_data(&m, 0, "AS64497"));
	mmdb_put(&m, "11.0.0.0/8", MMDB_DATA | mmdb_data(&m, 0, "nobody"));
	save_database(folder, "v4", &m);
	m.bits = 28;
	save_database(folder, "v4-28", &m);
	m.bits = 32;
	save_database(folder, "v4-32", &m);
	mmdb_put(&m, "128.0.0.0/2", 1);
	save_database(folder, "circle", &m);
	mmdb_begin(&m, 6);
	mmdb_add(&m, "192.0.2.0/24", 64496);
	mmdb_add(&m, "2001:db8::/32", 64497);
	mmdb_put(&m, "2002::/16", mmdb_v4(&m));
	save_database(folder, "v6", &m);
	mmdb_begin(&m, 6);
	mmdb_put(&m, "2001::/16", 4000); /* nothing is there */
	mmdb_add(&m, "::/1", 64497);
	save_database(folder, "beyond", &m);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		(void)fputs("usage: route_seeds FOLDER\n", stderr);
		return 2;
	}
	routes(argv[1]);
	session(argv[1]);
	databases(argv[1]);
	return 0;
}
