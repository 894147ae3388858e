-- CreateTable: carts that were ordered and are not deleted yet. No foreign key: a cart outlives its task's row
CREATE TABLE "task_cart" (
    "cart" UUID NOT NULL,
    "task" UUID NOT NULL,
    "claim" INTEGER NOT NULL,
    "created" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "task_cart_pkey" PRIMARY KEY ("cart")
);
