#include "state/entities.h"

#include "state/state_priv.h"

static struct entity_row read_row(sqlite3_stmt *stmt)
{
	return (struct entity_row){
		.id = state_db_column(stmt, 0),
		.token = state_db_column(stmt, 1),
		.ty = sqlite3_column_int(stmt, 2),
		.rn = state_db_column(stmt, 3),
		.poa = state_db_column(stmt, 4),
		.rr = sqlite3_column_int(stmt, 5),
		.routed = sqlite3_column_int(stmt, 6) != 0,
		.dcse = state_db_column(stmt, 7),
	};
}

static int run_put(struct state *s, struct state_job *job)
{
	sqlite3_stmt *stmt = s->db.prepared[SQL_ENTITY_PUT];
	const struct entity_row *row = &job->row;

	state_db_bind(stmt, 1, row->id);
	state_db_bind(stmt, 2, row->token);
	sqlite3_bind_int(stmt, 3, row->ty);
	state_db_bind(stmt, 4, row->rn);
	state_db_bind(stmt, 5, row->poa);
	sqlite3_bind_int(stmt, 6, row->rr);
	sqlite3_bind_int(stmt, 7, row->routed);
	state_db_bind(stmt, 8, row->dcse);
	return state_db_run(stmt);
}

static int run_remove(struct state *s, struct state_job *job)
{
	sqlite3_stmt *stmt = s->db.prepared[SQL_ENTITY_REMOVE];

	state_db_bind(stmt, 1, job->row.token);
	return state_db_run(stmt);
}

int entities_load(struct state *s,
		  int (*on_row)(void *arg, const struct entity_row *row),
		  void *arg)
{
	sqlite3_stmt *stmt = s->db.prepared[SQL_ENTITIES];
	int err;

	while ((err = state_db_step(stmt)) == 1) {
		struct entity_row row = read_row(stmt);

		err = on_row(arg, &row);
		if (err)
			break;
	}
	sqlite3_reset(stmt);
	return err;
}

int entities_put(struct state_mailbox *m, struct state_call *call,
		 const struct entity_row *row)
{
	size_t octets = row->id.len + row->token.len + row->rn.len +
			row->poa.len + row->dcse.len;
	struct state_job *job = state_job_create(run_put, octets);

	if (job != NULL) {
		job->row = *row;
		state_job_copy(job, &job->row.id);
		state_job_copy(job, &job->row.token);
		state_job_copy(job, &job->row.rn);
		state_job_copy(job, &job->row.poa);
		state_job_copy(job, &job->row.dcse);
	}
	return state_job_submit(m, call, job, true);
}

int entities_remove(struct state_mailbox *m, struct state_call *call,
		    struct str token)
{
	struct state_job *job = state_job_create(run_remove, token.len);

	if (job != NULL) {
		job->row.token = token;
		state_job_copy(job, &job->row.token);
	}
	return state_job_submit(m, call, job, false);
}
