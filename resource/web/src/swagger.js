// The API page: Swagger UI over our own OpenAPI document.
import SwaggerUI from 'swagger-ui-dist/swagger-ui-es-bundle.js';

const node = document.querySelector('#swagger');
SwaggerUI({ domNode: node, url: node.dataset.spec, deepLinking: true, validatorUrl: null });
