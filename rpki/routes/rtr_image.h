/*
 * rtr_image.h: the payload PDUs of a table or of a difference for one protocol version, rendered once and shared by reference: what stands between Cache Response
 * and End of Data. In the order that version 2 demands (8210bis section 11), which suits the others too.
 */
#ifndef RPKI_ROUTES_RTR_IMAGE_H
#define RPKI_ROUTES_RTR_IMAGE_H

#include "base/mem.h"
#include "rpki/routes/delta.h"
#include "rpki/routes/rtr_pdu.h"

struct rtr_image;

void rtr_image_unref(struct rtr_image *i) TAKES(1); /* any thread */
struct rtr_image *rtr_image_ref(const struct rtr_image *i) OWNED_BY(rtr_image_unref) NONNULL;
DEFINE_AUTO(struct rtr_image, rtr_image_unref)

/* version: 0 to RTR_VERSION_MAX; what it does not have (router keys, ASPAs) is left out. ERR_NOMEM. */
RESULT rtr_image_full(const struct payload_table *t, uint8_t version, struct rtr_image **ret_image) NONNULL;
RESULT rtr_image_delta(const struct payload_delta *d, uint8_t version, struct rtr_image **ret_image) NONNULL;
struct span rtr_image_octets(const struct rtr_image *i) NONNULL; /* as long as i is held */

#endif
