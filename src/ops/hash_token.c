#include "ops/hash_token.h"

#include <string.h>
#include <uv.h>

#include "gateway/secret.h"

/* Chance needs no slow hash; a handshake with what a person chose takes about
 * a tenth of a second of one core, once. */
#define COUNT_MADE   SECRET_COUNT_MIN
#define COUNT_CHOSEN 200000

static const char *check(struct str secret)
{
	if (secret.len > SECRET_MAX)
		return "the secret is longer than 256 octets";
	for (size_t i = 0; i < secret.len; i++)
		if ((unsigned char)secret.p[i] < ' ' || secret.p[i] == 0x7f)
			return "the secret holds a control character";
	return NULL;
}

static int print(FILE *out, struct str secret, unsigned count)
{
	struct buf line = { 0 };
	struct secret_hash hash;
	int err = secret_hash_make(&hash, secret, count);

	if (err)
		return err;
	secret_hash_write(&line, &hash);
	buf_add_char(&line, '\0');
	if (line.failed)
		err = UV_ENOMEM;
	else
		fprintf(out, "token = %s\n", line.p);
	buf_deinit(&line);
	return err;
}

static int make(FILE *out, FILE *diag)
{
	char secret[SECRET_TEXT_LEN + 1];
	int err = secret_random(secret);

	if (!err)
		err = print(out, str_of(secret), COUNT_MADE);
	if (!err)
		fprintf(diag, "the client's token is NAME.%s\n", secret);
	secret_wipe(secret, sizeof(secret));
	return err;
}

int hash_token(FILE *in, FILE *out, FILE *diag)
{
	char line[SECRET_MAX + 3] = "";
	const char *why;
	int err = ERR_PROTO;

	if (fgets(line, sizeof(line), in) == NULL)
		line[0] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	why = check(str_of(line));
	if (why != NULL)
		fprintf(diag, "m2mwsd: %s\n", why);
	else if (line[0] == '\0')
		err = make(out, diag);
	else
		err = print(out, str_of(line), COUNT_CHOSEN);
	if (err && why == NULL)
		fprintf(diag, "m2mwsd: %s\n", err_text(err));
	secret_wipe(line, sizeof(line));
	return err;
}
