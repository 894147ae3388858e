-- Whose lease it is, while it is a lease: each process counts its own requests by itself, and those of others by their leases.
-- None: of a process of an earlier version. Not indexed, since what is in flight is found by its state.
ALTER TABLE "delivery" ADD COLUMN "holder" uuid;
