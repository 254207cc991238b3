#include "config_priv.h"

#define SYSTEM_CA "/etc/ssl/certs/ca-certificates.crt"

static void report(struct config_load *l, const struct config_instance *inst,
		   const char *key, const char *text)
{
	const struct config_place *at = config_place_of(inst, key);

	if (inst->section->titled)
		config_report(l, at, "[%s \"%s\"] %s", inst->section->name,
			      inst->name, text);
	else
		config_report(l, at, "[%s] %s", inst->section->name, text);
}

static void report_fault(struct config_load *l,
			 const struct config_instance *inst,
			 const struct tls_fault *fault)
{
	char text[TLS_WHY_MAX + 32];

	snprintf(text, sizeof(text), "%s %s", fault->member, fault->why);
	report(l, inst, fault->member, text);
}

/* The files are read already here: at the start it would be too late. */
static void finish_probe(struct config_load *l,
			 const struct config_instance *inst,
			 struct tls_context *probe, int err,
			 const struct tls_fault *fault)
{
	if (err == ERR_PROTO)
		report_fault(l, inst, fault);
	else if (err)
		l->err = err;
	tls_context_destroy(probe);
}

/* ---- where somebody connects ---- */

/* NULL: it is fine; else what is wrong at the key. Whoever names files and
 * forgets to turn TLS on would serve in the clear. */
static const char *server_mistake(bool tls, const struct tls_conf *t,
				  const char **key)
{
	bool has_cert = t->cert_file[0] != '\0';
	bool has_key = t->key_file[0] != '\0';
	bool has_ca = t->client_ca_file[0] != '\0';
	bool has_crl = t->crl_file[0] != '\0';
	bool asks = t->client_cert != TLS_CLIENT_NONE;

	*key = "tls";
	if (tls && (!has_cert || !has_key))
		return "tls needs cert_file and key_file";
	*key = "client_cert";
	if (asks && !has_ca)
		return "client_cert needs client_ca_file";
	*key = "client_ca_file";
	if (!asks && has_ca)
		return "client_ca_file needs client_cert = optional or required";
	*key = "crl_file";
	if (!has_ca && has_crl)
		return "crl_file needs client_ca_file";
	*key = has_cert ? "cert_file" : has_key ? "key_file" : "client_cert";
	if (!tls && (has_cert || has_key || asks))
		return "has no use for this without tls = yes";
	return NULL;
}

static void check_server(struct config_load *l,
			 const struct config_instance *inst, bool tls,
			 const struct tls_conf *conf)
{
	struct tls_context *probe = NULL;
	struct tls_fault fault;
	const char *key, *mistake;
	int err;

	if (inst->has_errors || conf->cert_file == NULL ||
	    conf->key_file == NULL || conf->client_ca_file == NULL ||
	    conf->crl_file == NULL)
		return;		/* reported already, or without memory */
	mistake = server_mistake(tls, conf, &key);
	if (mistake != NULL) {
		report(l, inst, key, mistake);
	} else if (tls) {
		err = tls_context_create(&probe, &fault, conf, NULL);
		finish_probe(l, inst, probe, err, &fault);
	}
}

void config_check_listener_tls(struct config_load *l,
			       const struct config_instance *inst)
{
	const struct gateway_listener_conf *conf = inst->fields;

	check_server(l, inst, conf->tls, &conf->tls_conf);
}

void config_check_notify_tls(struct config_load *l,
			     const struct config_instance *inst)
{
	const struct notify_conf *conf = &l->conf->gateway.notify;

	check_server(l, inst, conf->tls, &conf->tls_conf);
}

/* ---- where we connect to ---- */

static const char *client_mistake(const struct upstream_conf *u,
				  const char **key)
{
	const struct tls_client_conf *t = &u->tls_conf;
	bool has_ca = t->ca_file[0] != '\0';
	bool has_cert = t->cert_file[0] != '\0';
	bool has_key = t->key_file[0] != '\0';

	*key = has_cert ? "cert_file" : has_key ? "key_file" : "ca_file";
	if (!u->tls && (has_ca || has_cert || has_key))
		return "has no use for this without an https: url";
	if (has_cert != has_key)
		return has_cert ? "cert_file needs key_file" :
				  "key_file needs cert_file";
	return NULL;
}

void config_check_upstream_tls(struct config_load *l,
			       const struct config_instance *inst)
{
	struct upstream_conf *u = inst->fields;
	struct tls_client_conf *t = &u->tls_conf;
	struct tls_context *probe = NULL;
	struct tls_fault fault;
	const char *key, *mistake;
	int err;

	if (inst->has_errors || (u->host == NULL && u->unix_path == NULL) ||
	    t->ca_file == NULL || t->cert_file == NULL || t->key_file == NULL)
		return;		/* reported already, or without memory */
	mistake = client_mistake(u, &key);
	if (mistake != NULL) {
		report(l, inst, key, mistake);
	} else if (u->tls) {
		if (t->ca_file[0] == '\0')
			t->ca_file = SYSTEM_CA;
		t->host = u->host;
		err = tls_context_create_client(&probe, &fault, t);
		finish_probe(l, inst, probe, err, &fault);
	}
}
