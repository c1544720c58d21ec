#include "tree/source.h"

int source_next(struct source *s, const struct entry **out, struct error *err)
{
    return s->ops->next(s, out, err);
}

int source_load(struct source *s, const struct entry **out, struct error *err)
{
    return s->ops->load(s, out, err);
}

void source_skip(struct source *s)
{
    s->ops->skip(s);
}

bool source_can_seek(const struct source *s)
{
    return s->ops->seek != NULL;
}

void source_seek(struct source *s, struct bytes path)
{
    s->ops->seek(s, path);
}

int source_find(struct source *s, struct bytes path, const struct entry **out, struct error *err)
{
    if (s->ops->find == NULL)
        return error_set(err, ERROR_UNSUPPORTED, "look up", "this source has no look-up by path");
    return s->ops->find(s, path, out, err);
}

int source_open_data(struct source *s, struct data **out, struct error *err)
{
    if (s->ops->open_data == NULL)
        return error_set(err, ERROR_UNSUPPORTED, "open", "this source has no contents");
    return s->ops->open_data(s, out, err);
}

const struct source_facts *source_facts(struct source *s)
{
    return s->ops->facts(s);
}

void source_close(struct source *s)
{
    if (s != NULL)
        s->ops->close(s);
}

int data_read(struct data *d, uint64_t offset, struct data_span span, size_t *got,
              struct error *err)
{
    return d->ops->read(d, offset, span, got, err);
}

int data_read_full(struct data *d, uint64_t offset, struct data_span span, struct error *err)
{
    size_t done = 0;

    while (done < span.capacity) {
        struct data_span rest = {(uint8_t *)span.bytes + done, span.capacity - done};
        size_t got;
        if (data_read(d, offset + done, rest, &got, err))
            return -1;
        if (!got)
            return error_set(err, ERROR_CHANGED, "read", "the content ends before its size");
        done += got;
    }
    return 0;
}

bool data_can_view(const struct data *d)
{
    return d->ops->view != NULL;
}

int data_view(struct data *d, uint64_t offset, size_t most, struct bytes *out, struct error *err)
{
    return d->ops->view(d, offset, most, out, err);
}

int data_changed(struct data *d, struct error *err)
{
    return d->ops->changed == NULL ? 0 : d->ops->changed(d, err);
}

int data_refresh(struct data *d, struct error *err)
{
    return d->ops->refresh == NULL ? 0 : d->ops->refresh(d, err);
}

void data_close(struct data *d)
{
    if (d != NULL)
        d->ops->close(d);
}
