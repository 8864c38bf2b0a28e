-- name: order_decide
select erp.decide_order(@order_id);
