import type * as documented from '../hg';
import type * as real from './module';

type Check<Module extends typeof documented> = Module;

/** Fails the type check when the module is not what hg.d.ts tells people that it is. */
export type Conforms = Check<typeof real>;
