import { PARTS } from './parts/all';
import { boot } from './core/start';

boot(PARTS);
