/** Loaded in every worker: a worker whose run was killed ends too, instead of hanging in its test. */
process.once('disconnect', () => process.exit(1))
