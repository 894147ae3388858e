/** The simulated services stand where the demo can run them too; tests reach them here. */
export * from '../../apps/standalone/src/pacifica/cartd.ts'
