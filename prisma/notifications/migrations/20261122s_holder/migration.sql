-- Whose lease it is: each process counts its own requests by itself, and those of others by their leases. Without one: of
-- a process of an earlier version. Filled by whoever claims; not indexed, since what is in flight is found by its state.
ALTER TABLE "delivery" ADD COLUMN "holder" uuid;
