import { boot } from './core/start';

boot([]);
