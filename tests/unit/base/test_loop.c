/* The loop over a back end whose clock and events the test sets. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "base/epoch.h"
#include "base/loop.h"

struct fake {
	struct now now;
	uint64_t waited_ns; /* asked for by the last wait */
	uint32_t slots[8];  /* of watches by descriptor number */
	unsigned int ready[8];
	unsigned int watches, wakes, waits;
	bool freed, refuse;
};

static struct fake fake;

static void fake_now(void *ctx, struct now *ret)
{
	*ret = ((struct fake *)ctx)->now;
}

static void fake_wait(void *ctx, struct loop *l, uint64_t wait_ns)
{
	struct fake *f = ctx;

	f->waits++;
	f->waited_ns = wait_ns;
	if (wait_ns != UINT64_MAX)
		f->now.mono_ns += wait_ns;
	for (unsigned int fd = 0; fd < 8; fd++)
		if (f->ready[fd] != 0)
			loop_fd_ready(l, f->slots[fd], f->ready[fd]);
}

static RESULT fake_watch(void *ctx, struct loop *l, int fd, unsigned int events, uint32_t slot, void **ret_watch)
{
	struct fake *f = ctx;

	(void)l;
	(void)events;
	if (f->refuse)
		return FAIL(ERR_SYSTEM);
	f->slots[fd] = slot;
	f->watches++;
	*ret_watch = &f->slots[fd];
	return DONE;
}

static void fake_unwatch(void *ctx, void *watch)
{
	struct fake *f = ctx;

	f->watches--;
	f->ready[(uint32_t *)watch - f->slots] = 0;
}

static void fake_wake(void *ctx)
{
	((struct fake *)ctx)->wakes++;
}

static void fake_free(void *ctx)
{
	((struct fake *)ctx)->freed = true;
}

static struct loop *fake_loop(struct epoch_member *member) OWNED_BY(loop_free);
static struct loop *fake_loop(struct epoch_member *member)
{
	const struct loop_backend b = { &fake, fake_now, fake_wait, fake_watch, fake_unwatch, fake_wake, fake_free };

	fake = (struct fake){ .now = { 1000000000, 5, 6 } };
	return loop_new(&b, NULL, member);
}

/* The object of these tests writes what happens to it into a text. */
LOOP_HANDLE(thing)
LOOP_HANDLE_IMPL(thing)

struct thing {
	char name;
	thing_h self;
	timer_h timer;
	watch_h watch;
	unsigned int again; /* how often a callback asks again */
	struct thing *victim BORROWED_FIELD;
	struct dead dead;
};

static char happened[1000];

static void note(const char *what, const struct thing *t)
{
	size_t n = strlen(happened);

	snprintf(happened + n, sizeof(happened) - n, "%s%s%c", n != 0 ? " " : "", what, t->name);
}

static void enlist(struct loop *l, struct thing *t, char name)
{
	*t = (struct thing){ .name = name };
	t->self = thing_enlist(l, t);
	assert_true(t->self.v != 0);
}

static void on_timer(struct loop *l, void *object)
{
	struct thing *t = object;

	note("timer", t);
	if (t->victim != NULL)
		thing_retire(l, t->victim->self);
	if (t->again > 0) {
		t->again--;
		assert_ok(loop_timer(l, &thing_loop_type, t->self.v, on_timer, 0, &t->timer));
	}
}

static void on_fd(struct loop *l, void *object, unsigned int events)
{
	struct thing *t = object;

	note(events == LOOP_READ ? "read" : events == LOOP_WRITE ? "write" : "both", t);
	if (t->victim != NULL)
		loop_unwatch(l, &t->victim->watch);
}

static void on_end(struct loop *l, void *object)
{
	struct thing *t = object;

	note("end", t);
	if (t->again > 0) {
		t->again--;
		assert_ok(loop_at_turn_end(l, &thing_loop_type, t->self.v, on_end));
	}
}

static struct thing *thing_of(struct dead *d) BORROWED;
static struct thing *thing_of(struct dead *d)
{
	return PARENT_OF(d, struct thing, dead);
}

static void on_dead(struct dead *d)
{
	note("dead", thing_of(d));
}

static int clean(void **state)
{
	(void)state;
	happened[0] = '\0';
	return 0;
}

static void a_handle_outlives_its_object_harmlessly(void **state)
{
	AUTO(loop_free) struct loop *l = fake_loop(NULL);
	struct thing a, b;
	thing_h old;

	(void)state;
	enlist(l, &a, 'a');
	old = a.self;
	assert_ptr_equal(thing_get(l, a.self), &a);
	assert_int_equal(loop_live_handles(l), 1);
	thing_retire(l, a.self);
	thing_retire(l, a.self);
	assert_null(thing_get(l, a.self));
	assert_int_equal(loop_live_handles(l), 0);
	enlist(l, &b, 'b'); /* in the same place */
	assert_true((uint32_t)b.self.v == (uint32_t)old.v);
	assert_null(thing_get(l, old));
	thing_retire(l, old);
	assert_ptr_equal(thing_get(l, b.self), &b);
	assert_null(thing_get(l, (thing_h){ 0 }));
	assert_null(thing_get(l, (thing_h){ UINT64_MAX }));
}

static void many_handles_live_at_once(void **state)
{
	enum { MANY = 5000 };
	static struct thing things[MANY];
	AUTO(loop_free) struct loop *l = fake_loop(NULL);

	(void)state;
	for (unsigned int round = 0; round < 3; round++) {
		for (unsigned int i = 0; i < MANY; i++)
			enlist(l, &things[i], 'x');
		for (unsigned int i = 0; i < MANY; i++)
			assert_ptr_equal(thing_get(l, things[i].self), &things[i]);
		assert_int_equal(loop_live_handles(l), MANY);
		for (unsigned int i = 0; i < MANY; i++)
			thing_retire(l, things[i].self);
	}
	assert_int_equal(loop_live_handles(l), 0);
}

static void timers_fire_once_when_due(void **state)
{
	AUTO(loop_free) struct loop *l = fake_loop(NULL);
	struct thing a, b;

	(void)state;
	enlist(l, &a, 'a');
	enlist(l, &b, 'b');
	assert_ok(loop_timer(l, &thing_loop_type, a.self.v, on_timer, 20, &a.timer));
	assert_ok(loop_timer(l, &thing_loop_type, b.self.v, on_timer, 10, &b.timer));
	loop_turn(l, false);
	assert_string_equal(happened, "");
	assert_int_equal(fake.waited_ns, 0);
	loop_turn(l, true);
	assert_string_equal(happened, "timerb");
	assert_int_equal(fake.waited_ns, 10000000);
	assert_int_equal(loop_now(l)->mono_ns, 1010000000);
	loop_turn(l, true);
	assert_string_equal(happened, "timerb timera");
	loop_turn(l, true);
	assert_true(fake.waited_ns == UINT64_MAX);
	assert_string_equal(happened, "timerb timera");
}

static void a_stopped_timer_is_silent(void **state)
{
	AUTO(loop_free) struct loop *l = fake_loop(NULL);
	struct thing a;

	(void)state;
	enlist(l, &a, 'a');
	assert_ok(loop_timer(l, &thing_loop_type, a.self.v, on_timer, 20, &a.timer));
	loop_timer_stop(l, &a.timer);
	assert_int_equal(a.timer.v, 0);
	loop_timer_stop(l, &a.timer);
	fake.now.mono_ns += 1000000000;
	loop_turn(l, true);
	assert_string_equal(happened, "");
	assert_int_equal(loop_stale_events(l), 0);
}

static void a_clock_that_jumps_makes_timers_due(void **state)
{
	AUTO(loop_free) struct loop *l = fake_loop(NULL);
	struct thing a;

	(void)state;
	enlist(l, &a, 'a');
	assert_ok(loop_timer(l, &thing_loop_type, a.self.v, on_timer, 3000000, &a.timer));
	assert_ok(loop_timer(l, &thing_loop_type, a.self.v, on_timer, UINT64_MAX, &a.timer)); /* never, but no overflow */
	fake.now.mono_ns += 3600000000000;
	loop_turn(l, true);
	assert_int_equal(fake.waited_ns, 0);
	assert_string_equal(happened, "timera");
}

static void a_timer_that_asks_for_no_wait_does_not_hold_up_the_turn(void **state)
{
	AUTO(loop_free) struct loop *l = fake_loop(NULL);
	struct thing a;

	(void)state;
	enlist(l, &a, 'a');
	a.again = 3;
	assert_ok(loop_timer(l, &thing_loop_type, a.self.v, on_timer, 0, &a.timer));
	loop_turn(l, false);
	assert_string_equal(happened, "timera");
	loop_turn(l, false);
	assert_string_equal(happened, "timera timera");
}

static void events_of_the_dead_are_dropped_and_counted(void **state)
{
	AUTO(loop_free) struct loop *l = fake_loop(NULL);
	struct thing a, b;

	(void)state;
	enlist(l, &a, 'a');
	enlist(l, &b, 'b');
	a.victim = &b;
	assert_ok(loop_timer(l, &thing_loop_type, a.self.v, on_timer, 1, &a.timer));
	assert_ok(loop_timer(l, &thing_loop_type, b.self.v, on_timer, 1, &b.timer));
	assert_ok(loop_watch(l, &thing_loop_type, b.self.v, 3, LOOP_READ, on_fd, &b.watch));
	assert_ok(loop_at_turn_end(l, &thing_loop_type, b.self.v, on_end));
	fake.ready[3] = LOOP_READ;
	fake.now.mono_ns += 1000000;
	loop_turn(l, false);
	assert_string_equal(happened, "timera");
	assert_int_equal(loop_stale_events(l), 3);
	assert_int_equal(fake.watches, 0); /* or the descriptor would be ready for ever */
	loop_unwatch(l, &b.watch);
	assert_int_equal(b.watch.v, 0);
}

static void descriptors_are_told_what_they_are_ready_for(void **state)
{
	AUTO(loop_free) struct loop *l = fake_loop(NULL);
	struct thing a;

	(void)state;
	enlist(l, &a, 'a');
	assert_ok(loop_watch(l, &thing_loop_type, a.self.v, 2, LOOP_READ | LOOP_WRITE, on_fd, &a.watch));
	fake.ready[2] = LOOP_READ;
	loop_turn(l, true);
	fake.ready[2] = LOOP_READ | LOOP_WRITE;
	loop_turn(l, true);
	fake.ready[2] = 0;
	loop_fd_ready(l, fake.slots[2], LOOP_READ); /* told twice, called once */
	loop_fd_ready(l, fake.slots[2], LOOP_WRITE);
	loop_turn(l, true);
	assert_int_equal(fake.waited_ns, 0);
	assert_string_equal(happened, "reada botha botha");
	loop_unwatch(l, &a.watch);
	loop_unwatch(l, &a.watch);
	assert_int_equal(fake.watches, 0);
	loop_fd_ready(l, 0, LOOP_READ);
	loop_fd_ready(l, 7777, LOOP_READ);
	loop_turn(l, true);
	assert_string_equal(happened, "reada botha botha");
}

static void a_watch_ended_in_the_same_turn_is_silent(void **state)
{
	AUTO(loop_free) struct loop *l = fake_loop(NULL);
	struct thing a, b;

	(void)state;
	enlist(l, &a, 'a');
	enlist(l, &b, 'b');
	a.victim = &b;
	assert_ok(loop_watch(l, &thing_loop_type, a.self.v, 1, LOOP_READ, on_fd, &a.watch));
	assert_ok(loop_watch(l, &thing_loop_type, b.self.v, 2, LOOP_READ, on_fd, &b.watch));
	fake.ready[1] = LOOP_READ;
	fake.ready[2] = LOOP_READ;
	loop_turn(l, true);
	assert_string_equal(happened, "reada");
	assert_int_equal(loop_stale_events(l), 0);
}

static void a_refused_watch_leaves_nothing(void **state)
{
	AUTO(loop_free) struct loop *l = fake_loop(NULL);
	struct thing a;

	(void)state;
	enlist(l, &a, 'a');
	fake.refuse = true;
	assert_err(loop_watch(l, &thing_loop_type, a.self.v, 1, LOOP_READ, on_fd, &a.watch), ERR_SYSTEM);
	assert_int_equal(a.watch.v, 0);
	fake.refuse = false;
	for (unsigned int i = 0; i < 100; i++) {
		assert_ok(loop_watch(l, &thing_loop_type, a.self.v, 1, LOOP_READ, on_fd, &a.watch));
		loop_unwatch(l, &a.watch);
	}
	assert_int_equal(fake.slots[1], 0); /* the same place each time */
}

struct note_message {
	struct message m;
	char name;
};

static void message_run(struct loop *l, struct message *m)
{
	struct note_message *n = (struct note_message *)(void *)m;

	(void)l;
	note("message", &(struct thing){ .name = n->name });
}

static void message_free(struct message *m)
{
	struct note_message *n = (struct note_message *)(void *)m;

	note("free", &(struct thing){ .name = n->name });
	mem_free(n);
}

static void post(struct loop *l, char name)
{
	struct note_message *n = mem_alloc(sizeof(*n));

	*n = (struct note_message){ .m = { .run = message_run, .free = message_free }, .name = name };
	loop_post(l, &n->m);
}

static void messages_come_in_order_and_are_freed(void **state)
{
	AUTO(loop_free) struct loop *l = fake_loop(NULL);

	(void)state;
	post(l, '1');
	post(l, '2');
	post(l, '3');
	assert_int_equal(fake.wakes, 1);
	loop_turn(l, true);
	assert_int_equal(fake.waited_ns, 0);
	assert_string_equal(happened, "message1 free1 message2 free2 message3 free3");
	post(l, '4');
	assert_int_equal(fake.wakes, 2);
}

static void messages_nobody_ran_are_freed_with_the_loop(void **state)
{
	struct loop *l = fake_loop(NULL);

	(void)state;
	post(l, '1');
	post(l, '2');
	loop_free(l);
	assert_string_equal(happened, "free1 free2");
	assert_true(fake.freed);
}

static void a_turn_has_its_order(void **state)
{
	AUTO(loop_free) struct loop *l = fake_loop(NULL);
	struct thing a;

	(void)state;
	enlist(l, &a, 'a');
	loop_bury(l, &a.dead, on_dead);
	assert_ok(loop_at_turn_end(l, &thing_loop_type, a.self.v, on_end));
	assert_ok(loop_watch(l, &thing_loop_type, a.self.v, 1, LOOP_READ, on_fd, &a.watch));
	fake.ready[1] = LOOP_READ;
	assert_ok(loop_timer(l, &thing_loop_type, a.self.v, on_timer, 0, &a.timer));
	post(l, 'm');
	loop_turn(l, true);
	assert_string_equal(happened, "messagem freem timera reada enda deada");
}

static void hooks_of_hooks_run_in_the_same_turn_but_not_for_ever(void **state)
{
	AUTO(loop_free) struct loop *l = fake_loop(NULL);
	struct thing a, b;

	(void)state;
	enlist(l, &a, 'a');
	enlist(l, &b, 'b');
	a.again = 2;
	assert_ok(loop_at_turn_end(l, &thing_loop_type, a.self.v, on_end));
	assert_ok(loop_at_turn_end(l, &thing_loop_type, b.self.v, on_end));
	loop_turn(l, false);
	assert_string_equal(happened, "enda endb enda enda");
	a.again = 20;
	assert_ok(loop_at_turn_end(l, &thing_loop_type, a.self.v, on_end));
	loop_turn(l, false);
	assert_int_equal(a.again, 4);
	loop_turn(l, true);
	assert_int_equal(fake.waited_ns, 0);
	assert_int_equal(a.again, 0);
	loop_turn(l, true);
	assert_true(fake.waited_ns == UINT64_MAX);
}

static void bury_both(struct dead *d)
{
	struct thing *t = thing_of(d);

	note("dead", t);
	if (t->victim != NULL)
		loop_bury((struct loop *)(uintptr_t)t->timer.v, &t->victim->dead, on_dead);
}

static void the_grave_takes_more_while_it_is_emptied(void **state)
{
	struct loop *l = fake_loop(NULL);
	struct thing a = { .name = 'a' }, b = { .name = 'b' }, c = { .name = 'c' };

	(void)state;
	a.victim = &b;
	a.timer.v = (uintptr_t)l;
	loop_bury(l, &a.dead, bury_both);
	loop_bury(l, &c.dead, on_dead);
	loop_turn(l, false);
	assert_string_equal(happened, "deada deadc deadb");
	loop_bury(l, &a.dead, on_dead);
	loop_free(l);
	assert_string_equal(happened, "deada deadc deadb deada");
}

static void stop_ends_run(void **state)
{
	AUTO(loop_free) struct loop *l = fake_loop(NULL);

	(void)state;
	loop_stop(l);
	loop_run(l);
	assert_int_equal(fake.waits, 0);
	assert_int_equal(fake.wakes, 1);
}

struct object {
	struct retired r;
	bool *gone;
};

static void object_destroy(struct retired *r)
{
	*((struct object *)(void *)r)->gone = true;
}

/* A sleeping loop holds nothing up, and does not sleep for long on what it has to free. */
static void the_loop_keeps_its_epoch(void **state)
{
	AUTO(epoch_free) struct epoch *e = epoch_new();
	struct epoch_member *m = epoch_join(e), *slow = epoch_join(e);
	AUTO(loop_free) struct loop *l = fake_loop(m);
	bool gone = false;
	struct object o = { .gone = &gone };

	(void)state;
	epoch_online(slow);
	loop_turn(l, true);
	assert_true(fake.waited_ns == UINT64_MAX);
	epoch_retire(m, &o.r, 100, object_destroy);
	loop_turn(l, true);
	assert_false(gone);
	loop_turn(l, true);
	assert_int_equal(fake.waited_ns, 1000000000);
	epoch_offline(slow);
	loop_turn(l, true);
	assert_true(gone);
	loop_turn(l, true);
	assert_true(fake.waited_ns == UINT64_MAX);
	loop_free(MOVE(l));
	epoch_leave(m);
	epoch_leave(slow);
}

static bool use_a_loop(void)
{
	AUTO(loop_free) struct loop *l = fake_loop(NULL);
	static struct thing things[100];

	if (l == NULL) {
		assert_true(fake.freed);
		return false;
	}
	for (unsigned int i = 0; i < 100; i++) {
		struct thing *t = &things[i];

		*t = (struct thing){ .name = 'x' };
		t->self = thing_enlist(l, t);
		if (t->self.v == 0 || !OK(loop_timer(l, &thing_loop_type, t->self.v, on_timer, i, &t->timer)) ||
		    !OK(loop_watch(l, &thing_loop_type, t->self.v, 1, LOOP_READ, on_fd, &t->watch)) ||
		    !OK(loop_at_turn_end(l, &thing_loop_type, t->self.v, on_end)))
			return false;
	}
	return true;
}

static void memory_may_run_out(void **state)
{
	(void)state;
	assert_true(for_each_failing_allocation(use_a_loop) >= 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_handle_outlives_its_object_harmlessly, clean),
		cmocka_unit_test_setup(many_handles_live_at_once, clean),
		cmocka_unit_test_setup(timers_fire_once_when_due, clean),
		cmocka_unit_test_setup(a_stopped_timer_is_silent, clean),
		cmocka_unit_test_setup(a_clock_that_jumps_makes_timers_due, clean),
		cmocka_unit_test_setup(a_timer_that_asks_for_no_wait_does_not_hold_up_the_turn, clean),
		cmocka_unit_test_setup(events_of_the_dead_are_dropped_and_counted, clean),
		cmocka_unit_test_setup(descriptors_are_told_what_they_are_ready_for, clean),
		cmocka_unit_test_setup(a_watch_ended_in_the_same_turn_is_silent, clean),
		cmocka_unit_test_setup(a_refused_watch_leaves_nothing, clean),
		cmocka_unit_test_setup(messages_come_in_order_and_are_freed, clean),
		cmocka_unit_test_setup(messages_nobody_ran_are_freed_with_the_loop, clean),
		cmocka_unit_test_setup(a_turn_has_its_order, clean),
		cmocka_unit_test_setup(hooks_of_hooks_run_in_the_same_turn_but_not_for_ever, clean),
		cmocka_unit_test_setup(the_grave_takes_more_while_it_is_emptied, clean),
		cmocka_unit_test_setup(stop_ends_run, clean),
		cmocka_unit_test_setup(the_loop_keeps_its_epoch, clean),
		cmocka_unit_test_setup(memory_may_run_out, clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
