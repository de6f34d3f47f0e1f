import { boot } from './core/start';
import { PARTS } from './parts/all';

boot(PARTS);
